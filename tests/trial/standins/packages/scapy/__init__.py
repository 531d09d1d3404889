"""Stands in for scapy: a network with one router, which answers for its address."""
