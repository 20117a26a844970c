"""A factory to talk to: machines with physics behind servers that speak the real protocols."""
