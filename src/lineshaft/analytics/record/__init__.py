"""The record of predictions: scored against what happened; what is not decided stays open."""
