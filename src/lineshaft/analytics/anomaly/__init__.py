"""Anomalies of assets without physics: what is normal is learned from a time that was."""
