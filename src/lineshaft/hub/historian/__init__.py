"""Where samples stay: one contract, one implementation in SQL for ClickHouse."""
