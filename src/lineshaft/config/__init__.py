"""A plant is a folder of YAML; here are its typed models, its loader and its checks."""
