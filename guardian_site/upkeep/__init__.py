"""What is done with stored data, by hand or on schedule: backed up, exported, deleted."""
