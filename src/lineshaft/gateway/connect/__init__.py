"""Connecting a device: from its address to checked signals of the plant, by command or from the page."""
