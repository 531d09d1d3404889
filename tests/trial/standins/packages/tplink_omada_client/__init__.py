"""Stands in for the client of Omada controllers: a site of a router, a switch, an access point and two clients."""
