"""Who hears of it, and once."""

from alerts.models.incident import Incident, IncidentEvent
from alerts.models.oncall import (
    EscalationPolicy,
    EscalationStep,
    Override,
    Rotation,
    RotationMember,
    Schedule,
)
from alerts.models.outbox import Channel, Notification
from alerts.models.quiet import MaintenanceWindow, Silence
from alerts.models.watch import Canary, StageAlarm, Turn

__all__ = [
    "Canary",
    "Channel",
    "EscalationPolicy",
    "EscalationStep",
    "Incident",
    "IncidentEvent",
    "MaintenanceWindow",
    "Notification",
    "Override",
    "Rotation",
    "RotationMember",
    "Schedule",
    "Silence",
    "StageAlarm",
    "Turn",
]
