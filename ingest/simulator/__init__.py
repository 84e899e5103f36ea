"""Payment traffic as it could have been: seeded, pure numpy, with incidents put in on purpose."""
