"""The tables that scripts read by class."""
