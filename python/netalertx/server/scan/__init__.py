"""What is known about devices that were seen."""
