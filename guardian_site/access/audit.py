"""Which rows are audited: who changed them, from where, before and after."""

from collections.abc import Sequence

from auditlog.registry import auditlog
from django.contrib.auth.models import User
from django.db.models import Model
from django_otp.plugins.otp_totp.models import TOTPDevice

from alerts.models import (
    Channel,
    EscalationPolicy,
    EscalationStep,
    Incident,
    MaintenanceWindow,
    Override,
    Rotation,
    RotationMember,
    Schedule,
    Silence,
)
from detection.models import Backtest, ForestVersion, Label, Policy, Proposal, SpecialDay
from guardian_site.access.models import Team
from ingest.models import ApiKey, Source

# What people decide about an incident. What detection goes on counting in it is no decision; its
# timeline shows that.
DECIDED = ("state", "label", "acknowledged_by", "assigned_to", "resolved_by", "parent")

EVERYTHING: Sequence[type[Model]] = (
    Source,
    Policy,
    SpecialDay,
    Label,
    Proposal,
    Silence,
    MaintenanceWindow,
    Override,
    Schedule,
    Rotation,
    RotationMember,
    EscalationPolicy,
    EscalationStep,
)


HIDDEN = "guardian_site.access.audit.hidden"


def hidden(value: str) -> str:
    """Return what the audit log holds in place of a secret."""
    return "(hidden)" if value else ""


def register_models() -> None:
    """Every change of these rows is written down from now on."""
    for model in EVERYTHING:
        auditlog.register(model)
    auditlog.register(Team, m2m_fields={"members", "sources"})
    # A webhook's address is a secret: the log says that it changed, but not to what.
    auditlog.register(
        Channel, mask_fields=["configuration"], mask_callable=HIDDEN, m2m_fields={"sources"}
    )
    auditlog.register(ApiKey, exclude_fields=["last_used", "secret_hash"])
    auditlog.register(Incident, include_fields=list(DECIDED))
    auditlog.register(
        ForestVersion, include_fields=["state", "promoted", "rolled_back", "note", "parameters"]
    )
    auditlog.register(Backtest, include_fields=["since", "until", "changes", "requested_by"])
    auditlog.register(
        User,
        exclude_fields=["last_login"],
        mask_fields=["password"],
        mask_callable=HIDDEN,
        m2m_fields={"groups"},
    )
    # What signing in moves on in it is no change of anybody's.
    auditlog.register(
        TOTPDevice,
        include_fields=["user", "name", "confirmed", "key"],
        mask_fields=["key"],
        mask_callable=HIDDEN,
    )
