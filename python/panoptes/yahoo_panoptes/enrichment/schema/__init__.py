"""What the sets of well-known enrichments hold."""
