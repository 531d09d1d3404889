"""What the trial gives the original's own plugins in place of networks and devices, and what must come of it."""
