"""How far a machine is from its own healthy past."""
