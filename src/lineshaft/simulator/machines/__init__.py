"""Models of machines: vectorised over instants, their state carried from call to call."""
