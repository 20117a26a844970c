"""Layer 1: one file or folder per protocol, each a connect / read (or subscribe) / close."""
