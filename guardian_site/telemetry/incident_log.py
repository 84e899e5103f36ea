"""A log line with its incident's id for every change of an incident."""

import logging
from typing import Any

from django.db.models.signals import post_save

from alerts.models import IncidentEvent
from ingest.plain import plain

logger = logging.getLogger(__name__)


def connect() -> None:
    """Every entry of an incident's timeline is logged, too."""
    post_save.connect(_written, sender=IncidentEvent, dispatch_uid="guardian.incident_log")


def _written(sender: Any, instance: IncidentEvent, created: bool, **_: Any) -> None:
    if not created:
        return
    logger.info(
        "incident %d %s: %s",
        instance.incident_id,
        instance.kind,
        plain(instance.why),
        extra={
            "incident_id": instance.incident_id,
            "kind": instance.kind,
            "who": plain(instance.who),
            "via": instance.via,
        },
    )
