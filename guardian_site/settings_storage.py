"""Settings of what is kept and for how long, from the environment."""

from guardian_site import environment as env

# Reports and their counts go together: without its report, a count could not tell a repeat.
GUARDIAN_KEEP_COUNTS_DAYS = env.whole("GUARDIAN_KEEP_COUNTS_DAYS", 800, 35, 36_500)
# On TimescaleDB alone: sums by hour outlive the minutes; those by day are never thrown away.
GUARDIAN_KEEP_HOURS_DAYS = env.whole("GUARDIAN_KEEP_HOURS_DAYS", 1830, 35, 36_500)
GUARDIAN_KEEP_BANDS_DAYS = env.whole("GUARDIAN_KEEP_BANDS_DAYS", 90, 7, 36_500)
GUARDIAN_KEEP_ANOMALIES_DAYS = env.whole("GUARDIAN_KEEP_ANOMALIES_DAYS", 400, 7, 36_500)
