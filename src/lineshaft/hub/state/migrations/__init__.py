"""Alembic migrations of the state database; applied at start, packaged in the wheel."""
