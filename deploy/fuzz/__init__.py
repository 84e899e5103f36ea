"""Schemathesis over the running site, as each kind of caller; for development only."""
