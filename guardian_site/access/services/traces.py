"""What signing in leaves behind, and for how long."""

from datetime import datetime, timedelta

from axes.models import AccessAttempt, AccessLog
from django.contrib.sessions.models import Session

from guardian_site.access.services.client_tokens import forget_revoked_tokens
from guardian_site.access.services.signing_in import forget_sign_ins

# Failures count for a quarter of an hour only; kept for long, strangers could fill the table.
FAILURES_KEPT = timedelta(days=1)
SIGN_INS_KEPT = timedelta(days=90)


def forget_traces(*, now: datetime) -> int:
    """Old failures, sign-ins, sessions and revocations are gone; how many rows is returned."""
    gone: int = (
        AccessAttempt.objects.filter(attempt_time__lt=now - FAILURES_KEPT).delete()[0]
        + AccessLog.objects.filter(attempt_time__lt=now - SIGN_INS_KEPT).delete()[0]
        + Session.objects.filter(expire_date__lt=now).delete()[0]
        + forget_sign_ins(before=now - SIGN_INS_KEPT)
        + forget_revoked_tokens(before=now)
    )
    return gone
