"""The plant as people look for it: a tree with counts, what is abnormal, search and the figures of the whole."""
