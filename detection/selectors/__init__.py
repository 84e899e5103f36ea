"""The only readers of detection's rows."""

from detection.selectors.anomalies import (
    Asked,
    anomalies,
    anomaly_count,
    newest_verdicts,
    unabsorbed_anomalies,
)
from detection.selectors.bands import approval_rate, bands_between, expected_now
from detection.selectors.baselines import judged_through
from detection.selectors.forests import forest_versions, live_forest_trained

__all__ = [
    "Asked",
    "anomalies",
    "anomaly_count",
    "approval_rate",
    "bands_between",
    "expected_now",
    "forest_versions",
    "judged_through",
    "live_forest_trained",
    "newest_verdicts",
    "unabsorbed_anomalies",
]
