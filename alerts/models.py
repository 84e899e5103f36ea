"""Who hears of it, and once."""
