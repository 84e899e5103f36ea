"""Everything that writes what happened."""

from ingest.services.keys import (
    Authenticated,
    authenticate_key,
    forget_keys,
    issue_key,
    revoke_key,
)
from ingest.services.late_hours import claim_late_hours
from ingest.services.recording import record_reports
from ingest.services.sources import forget_sources, resolve_sources

__all__ = [
    "Authenticated",
    "authenticate_key",
    "claim_late_hours",
    "forget_keys",
    "forget_sources",
    "issue_key",
    "record_reports",
    "resolve_sources",
    "revoke_key",
]
