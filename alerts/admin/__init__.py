"""What operators see and may do at /admin."""

from alerts.admin.channels import ChannelAdmin
from alerts.admin.incidents import IncidentAdmin
from alerts.admin.oncall import EscalationPolicyAdmin, OverrideAdmin, ScheduleAdmin
from alerts.admin.outbox import NotificationAdmin
from alerts.admin.quiet import MaintenanceWindowAdmin, SilenceAdmin

__all__ = [
    "ChannelAdmin",
    "EscalationPolicyAdmin",
    "IncidentAdmin",
    "MaintenanceWindowAdmin",
    "NotificationAdmin",
    "OverrideAdmin",
    "ScheduleAdmin",
    "SilenceAdmin",
]
