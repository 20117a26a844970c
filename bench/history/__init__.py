"""The platform: history that answers at once."""
