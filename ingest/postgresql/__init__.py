"""Django's backend for PostgreSQL, for threads that must not all wait for an absent database."""
