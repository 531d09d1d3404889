"""A plugin's module; the reader does not import it."""
