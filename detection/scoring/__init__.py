"""Pure detection: the counts of a minute in, levels with reasons out. No clock, no I/O."""
