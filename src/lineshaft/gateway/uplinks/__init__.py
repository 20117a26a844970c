"""Ways out of the gateway: each takes frames from the disk buffer and says which are delivered."""
