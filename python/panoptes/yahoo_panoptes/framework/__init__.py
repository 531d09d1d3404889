"""Resources, metrics, enrichments and what a run knows."""
