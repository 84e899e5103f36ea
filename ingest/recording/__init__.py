"""How reports reach the tables: one statement on PostgreSQL, a few under one lock on SQLite."""
