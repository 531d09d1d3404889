"""Plugins that say more about a resource."""
