"""Applications: each takes samples and events and gives events, routes, tables and pages; none knows another."""
