"""Who is asking and what they may do; see docs/guide/security.md."""
