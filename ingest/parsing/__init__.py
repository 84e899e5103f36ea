"""What senders write, in bodies and in files, read and checked; nothing is stored here."""
