"""Which stage of the way from a report to a page stands still."""

from datetime import datetime

from alerts.models import StageAlarm


def late_stage(*, now: datetime) -> str | None:
    """Return the first stage of our own pipeline that is known to stand still; None if all go."""
    stopped = {alarm.stage: alarm for alarm in StageAlarm.objects.filter(since__lte=now)}
    for stage in (StageAlarm.Stage.INGEST, StageAlarm.Stage.DETECTION):
        if stage in stopped:
            return stage.label.lower()
    return None
