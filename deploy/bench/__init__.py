"""Load benchmark: `make bench-load`."""
