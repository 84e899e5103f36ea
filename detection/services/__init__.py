"""What detection does: every writer of its rows."""
