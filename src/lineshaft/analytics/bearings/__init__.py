"""Rolling bearings: kinematics, library and diagnosis."""
