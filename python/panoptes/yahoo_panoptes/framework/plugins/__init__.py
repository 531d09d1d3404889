"""Base class and context of plugins."""
