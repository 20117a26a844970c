"""Puts the parts together into processes and looks after them; nothing here decides anything about data."""
