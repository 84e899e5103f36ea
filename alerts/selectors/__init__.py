"""The only readers of what the alerts app keeps."""

from alerts.selectors.channels import active_channels
from alerts.selectors.incidents import (
    Detail,
    Filters,
    incident_detail,
    incidents,
    open_counts,
    open_incidents,
    timeline,
)
from alerts.selectors.outbox import notifications, oldest_pending_age, outcome_counts

__all__ = [
    "Detail",
    "Filters",
    "active_channels",
    "incident_detail",
    "incidents",
    "notifications",
    "oldest_pending_age",
    "open_counts",
    "open_incidents",
    "outcome_counts",
    "timeline",
]
