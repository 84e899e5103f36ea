"""Pushes incidents to an Alertmanager, which then knows them as alerts of its own."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from alerts.channels.base import (
    Configurable,
    Outgoing,
    Receipt,
    post,
    read_address,
    refuse_failure,
    setting,
)
from alerts.messages import Brief
from alerts.models import Channel
from ingest import steady_clock

# An alert without an end resolves by itself after minutes; we say ourselves when it is over.
FAR = timedelta(days=7)
LEVELS = ("WARNING", "CRITICAL")


class Alertmanager(Configurable):
    edits = True
    needs = ("url",)

    def check(self, channel: Channel) -> None:
        if url := setting(channel, "url"):
            read_address(url)

    def send(self, channel: Channel, message: Outgoing) -> Receipt:
        if message.brief is None:
            return Receipt()
        address = f"{setting(channel, 'url').rstrip('/')}/api/v2/alerts"
        headers = {}
        if token := setting(channel, "token"):
            headers["Authorization"] = f"Bearer {token}"
        now = steady_clock.now()
        content = [alert_of(message.brief, now=now)]
        if message.kind == "escalated" or not message.brief.ongoing:
            # The severity is a label, so each severity is an alert of its own: end the other ones.
            content += [
                alert_of(replace(message.brief, level=level, ongoing=False), now=now)
                for level in LEVELS
                if level != message.brief.level
            ]
        refuse_failure(post(address, body=content, headers=headers))
        return Receipt(f"incident-{message.brief.incident}")


def alert_of(brief: Brief, *, now: datetime) -> dict[str, Any]:
    """Return an alert of Alertmanager's v2 API; its labels are its identity."""
    end = now + FAR if brief.ongoing else now
    return {
        "labels": {
            "alertname": "TransactionGuardianIncident",
            "incident": str(brief.incident),
            "source": brief.source,
            "family": brief.family,
            "severity": brief.level.lower(),
        },
        "annotations": {
            "summary": brief.text,
            "description": "\n".join([*brief.lines, brief.first_action]).strip(),
            "runbook_url": brief.runbook,
        },
        "startsAt": brief.began.isoformat(),
        "endsAt": max(end, brief.began).isoformat(),
        "generatorURL": brief.url,
    }
