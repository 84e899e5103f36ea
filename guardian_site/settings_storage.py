"""Settings of retention, of the sweep and of reports from a stream, from the environment."""

from guardian_site import environment as env

# Reports and their counts go together: without its report, a count could not tell a repeat.
GUARDIAN_KEEP_COUNTS_DAYS = env.whole("GUARDIAN_KEEP_COUNTS_DAYS", 800, 35, 36_500)
# On TimescaleDB only. Sums by hour outlive the minutes, or totals over long times would be too low;
# sums by day are never deleted.
GUARDIAN_KEEP_HOURS_DAYS = max(
    env.whole("GUARDIAN_KEEP_HOURS_DAYS", 1830, 35, 36_500), GUARDIAN_KEEP_COUNTS_DAYS
)
GUARDIAN_KEEP_BANDS_DAYS = env.whole("GUARDIAN_KEEP_BANDS_DAYS", 90, 7, 36_500)
GUARDIAN_KEEP_ANOMALIES_DAYS = env.whole("GUARDIAN_KEEP_ANOMALIES_DAYS", 400, 7, 36_500)

# A sweep is split into this many tasks, which as many workers can run at the same time.
GUARDIAN_SWEEP_PARTS = env.whole("GUARDIAN_SWEEP_PARTS", 1, 1, 256)
# Where `manage.py consume_stream` reads reports: redis://… or kafka://…; REDIS_URL if empty.
GUARDIAN_STREAM_URL = env.address(
    "GUARDIAN_STREAM_URL",
    schemes=(*env.REDIS, "kafka"),
    example="redis://host:6379/0 or kafka://host:9092",
)
GUARDIAN_STREAM_NAME = env.text("GUARDIAN_STREAM_NAME") or "guardian:reports"
