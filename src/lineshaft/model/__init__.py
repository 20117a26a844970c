"""Frozen nouns of the field; nothing here does I/O, reads a clock or logs."""
