"""The numbers that decide when people are disturbed."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings


@dataclass(frozen=True)
class Rules:
    """How patient the policy is.

    Attributes
    ----------
    quiet_minutes : int
        Judged minutes without an anomaly after which an incident is over [min].
    quiet_at_most : int
        Ceiling of the same once a source that flaps has doubled it [min].
    reopen_minutes : int
        A failure that returns so soon is the same one [min].
    patience_minutes : int
        What goes on so long after somebody resolved it by hand is told again [min].
    related_minutes : int
        Failures that begin so close together may have one cause [min].
    wave_sources : int
        One more source where the same begins as at so many others is no chance, and told with them
        [sources]; of a thousand sources one more is odd by chance.
    settle_minutes : int
        A warning is told so long after it opened [min]: most outages are warnings first, and one
        message that says critical is worth more than two. `GUARDIAN_WARNING_WAIT_MINUTES`.
    """

    quiet_minutes: int = 5
    quiet_at_most: int = 60
    reopen_minutes: int = 30
    patience_minutes: int = 5
    related_minutes: int = 10
    wave_sources: int = 3
    settle_minutes: int = 3


def rules() -> Rules:
    """Return the rules with what `GUARDIAN_ALERT_RULES` changes in them."""
    wait = settings.GUARDIAN_WARNING_WAIT_MINUTES
    return Rules(**{"settle_minutes": wait, **getattr(settings, "GUARDIAN_ALERT_RULES", {})})


BATCH = 200  # anomalies or notifications taken at once, so that one turn stays short
LEASE = timedelta(seconds=120)
SEND_BUDGET_SECONDS = 40.0  # with one slow request more this stays well under the lease
# A try that comes to nothing and took so long keeps a worker from everything else: its channel
# then rests. While somebody sends in a channel no other worker does, unless that one is gone.
HANGS_AFTER_SECONDS = 5.0
RESTS = timedelta(seconds=15)
SENDS_ALONE = timedelta(seconds=15)
GIVE_UP_AFTER = timedelta(hours=6)
STUCK_AFTER = timedelta(minutes=3)
REMINDERS_AT_MOST = 3
REQUEST_SECONDS = 10.0


def heartbeat_url() -> str:
    """Return the outside address that is called while all is well; empty for none."""
    return str(getattr(settings, "GUARDIAN_HEARTBEAT_URL", ""))


def door_url() -> str:
    """Return where our own web server answers; empty where it is not on this machine."""
    if not settings.EMBEDDED:
        return ""
    return f"{settings.GUARDIAN_OWN_ADDRESS}/health/live"


def slack_signing_secret() -> str:
    """Return the secret that proves that a click comes from Slack; empty refuses all clicks."""
    return str(getattr(settings, "SLACK_SIGNING_SECRET", ""))
