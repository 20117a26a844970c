"""The edge pipeline: what happens to a batch between the driver and the buffer."""
