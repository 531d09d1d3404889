"""Times and ciphers for scripts."""
