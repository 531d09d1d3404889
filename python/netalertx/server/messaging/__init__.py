"""Messages to the people who look after the host."""
