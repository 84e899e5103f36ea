"""The /auth routes of the API."""
