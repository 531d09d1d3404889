"""Times, ciphers, manifests and files for scripts."""
