"""What Guardian is made of: pinned with hashes, listed, licensed, checked for known faults."""
