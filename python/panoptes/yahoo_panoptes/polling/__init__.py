"""Plugins that measure."""
