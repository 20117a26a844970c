"""OEE as pure functions: states, calendars, time elements, counts, KPIs, losses and reliability."""
