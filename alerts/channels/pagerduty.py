"""PagerDuty Events API v2: its dedup_key makes every repeat harmless."""

from typing import Any

from django.conf import settings

from alerts.channels.base import Configurable, Outgoing, Receipt, post, refuse_failure, setting
from alerts.messages import Brief
from alerts.models import Channel

API = "https://events.pagerduty.com"
SEVERITIES = {"CRITICAL": "critical", "WARNING": "warning", "NORMAL": "info"}
SUMMARY_AT_MOST = 1024


class PagerDuty(Configurable):
    edits = True
    needs = ("routing_key",)

    def send(self, channel: Channel, message: Outgoing) -> Receipt:
        brief = message.brief
        key = message.key if brief is None else f"guardian-incident-{brief.incident}"
        body: dict[str, Any] = {
            "routing_key": setting(channel, "routing_key"),
            "event_action": _action(message),
            "dedup_key": key,
        }
        if body["event_action"] == "trigger":
            body |= _about(message) if brief is None else _incident(brief)
            if brief is not None and message.image:
                # PagerDuty fetches it itself, and only by https.
                alt = brief.headline
                body["images"] = [{"src": message.image, "href": brief.url, "alt": alt}]
        address = f"{setting(channel, 'api') or API}/v2/enqueue"
        # 400 is “invalid event”: a wrong key or a fault of ours, the same next time.
        refuse_failure(post(address, body=body))
        return Receipt(key)


def _action(message: Outgoing) -> str:
    if message.brief is None:
        return "trigger"
    if not message.brief.ongoing:
        return "resolve"
    known = message.kind == "updated"
    return "acknowledge" if known and message.brief.state == "acknowledged" else "trigger"


def _about(message: Outgoing) -> dict[str, Any]:
    summary = f"{message.title}: {message.text}"[:SUMMARY_AT_MOST]
    return {"payload": {"summary": summary, "source": "transaction-guardian", "severity": "info"}}


def _incident(brief: Brief) -> dict[str, Any]:
    return {
        "client": "Transaction Guardian",
        "client_url": brief.url,
        "links": [{"href": brief.url, "text": brief.link_text}],
        "payload": {
            "summary": brief.text[:SUMMARY_AT_MOST],
            "source": brief.source,
            "severity": SEVERITIES[brief.level],
            "class": brief.family,
            "component": "transactions",
            "custom_details": {
                "facts": brief.lines,
                "first_action": brief.first_action,
                "guardian": settings.GUARDIAN_URL,
            },
        },
    }
