"""The only writers of what the alerts app keeps."""

from alerts.services.absorption import absorb_anomalies
from alerts.services.channels import enable_channel, queue_test, sync_builtin_channels
from alerts.services.escalation import escalate_incidents
from alerts.services.sending import resend, send_due_notifications
from alerts.services.settling import settle_incidents
from alerts.services.silencing import create_silence, end_silence, silence_incident
from alerts.services.triage import (
    acknowledge,
    close,
    comment,
    mark_false_positive,
    merge,
    mitigate,
    reopen,
    resolve,
)

__all__ = [
    "absorb_anomalies",
    "acknowledge",
    "close",
    "comment",
    "create_silence",
    "enable_channel",
    "end_silence",
    "escalate_incidents",
    "mark_false_positive",
    "merge",
    "mitigate",
    "queue_test",
    "reopen",
    "resend",
    "resolve",
    "send_due_notifications",
    "settle_incidents",
    "silence_incident",
    "sync_builtin_channels",
]
