"""How long a trace can be continued from a row."""

from datetime import datetime, timedelta

from guardian_site.models import TraceMark

# A message may wait for days; a trace that long is of no use to anybody.
KEPT = timedelta(days=1)


def forget_trace_marks(*, now: datetime) -> int:
    """Marks older than a day are gone; how many is returned."""
    return TraceMark.objects.filter(noted__lt=now - KEPT).delete()[0]
