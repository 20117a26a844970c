"""OEE: every lost second has a reason, an owner and a price."""
