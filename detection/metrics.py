"""What detection says about itself to Prometheus. Label values come from enumerations only."""

from prometheus_client import Counter, Gauge, Histogram

VERDICTS = Counter("guardian_detection_verdicts_total", "Verdicts answered.", ["level"])
ANOMALIES = Counter("guardian_detection_anomalies_total", "Anomalies found.", ["family", "level"])
SCORES = Histogram(
    "guardian_detection_score",
    "Highest anomaly score answered for a minute of a source, by group of reports.",
    buckets=(0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0),
)
ASSESS_SECONDS = Histogram(
    "guardian_detection_assess_seconds",
    "Time to judge one group of reports.",
    buckets=(0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5),
)
SWEEP_SECONDS = Histogram(
    "guardian_detection_sweep_seconds",
    "Time of one sweep of the closed minutes.",
    buckets=(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 16),
)
SWEPT_MINUTES = Counter("guardian_detection_swept_minutes_total", "Source minutes judged.")
LAG_SECONDS = Gauge(
    "guardian_detection_lag_seconds",
    "Age of the oldest closed minute of a live source not judged yet, by part of the sweep.",
    ["part"],
    multiprocess_mode="mostrecent",
)
LATE_HOURS = Counter("guardian_detection_late_hours_total", "Hours looked at again.", ["outcome"])
CONFLICTS = Counter(
    "guardian_detection_conflicts_total", "Advances dropped since another was faster."
)
TAKEN_BACK = Counter(
    "guardian_detection_taken_back_total", "Sources judged ahead of the clock and judged again."
)
FOREST_TRAINED = Gauge(
    "guardian_detection_forest_trained_timestamp_seconds",
    "When the live forest was trained.",
    multiprocess_mode="mostrecent",
)
