"""What the operation tells of itself: metrics, their exposition, log lines."""
