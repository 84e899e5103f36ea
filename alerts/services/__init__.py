"""The only writers of what the alerts app keeps."""

from alerts.services.absorption import absorb_anomalies
from alerts.services.canary import send_canary
from alerts.services.channels import enable_channel, queue_test, sync_builtin_channels
from alerts.services.digests import queue_digests
from alerts.services.escalation import escalate_incidents
from alerts.services.external import ExternalAlert, take_external_alerts
from alerts.services.failover import hand_over_stuck
from alerts.services.sending import resend, send_due_notifications
from alerts.services.settling import settle_incidents
from alerts.services.silencing import (
    create_silence,
    end_silence,
    end_silences_of,
    silence_incident,
)
from alerts.services.telegram_bot import poll_telegram
from alerts.services.triage import (
    acknowledge,
    assign,
    close,
    comment,
    mark_false_positive,
    merge,
    mitigate,
    reopen,
    resolve,
    split,
)
from alerts.services.watching import watch_stages

__all__ = [
    "ExternalAlert",
    "absorb_anomalies",
    "acknowledge",
    "assign",
    "close",
    "comment",
    "create_silence",
    "enable_channel",
    "end_silence",
    "end_silences_of",
    "escalate_incidents",
    "hand_over_stuck",
    "mark_false_positive",
    "merge",
    "mitigate",
    "poll_telegram",
    "queue_digests",
    "queue_test",
    "reopen",
    "resend",
    "resolve",
    "send_canary",
    "send_due_notifications",
    "settle_incidents",
    "silence_incident",
    "split",
    "sync_builtin_channels",
    "take_external_alerts",
    "watch_stages",
]
