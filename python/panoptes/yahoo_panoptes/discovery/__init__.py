"""Plugins that make resources known."""
