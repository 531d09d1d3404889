"""Schemas that several kinds of plugin share."""
