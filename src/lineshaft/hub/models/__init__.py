"""Models that are trained in the hub: trained on history, validated on held-out time, versioned, put to work."""
