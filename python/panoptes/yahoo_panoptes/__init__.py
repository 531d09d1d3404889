"""The framework that Panoptes plugins import."""
