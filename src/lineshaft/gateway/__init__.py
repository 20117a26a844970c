"""Layer 2, the edge gateway: reads devices, cleans, keeps on disk and sends on."""
