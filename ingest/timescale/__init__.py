"""What only TimescaleDB can do; on SQLite and on plain PostgreSQL all of it does nothing."""
