"""How long a machine still runs, always as an interval."""
