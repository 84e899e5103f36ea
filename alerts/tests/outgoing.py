"""Messages for the tests of the channels, and what becomes of them at a vendor."""

from datetime import UTC, datetime
from typing import Any

import pytest

from alerts.channels import ChannelError, Outgoing, Receipt, adapter_of
from alerts.messages import Brief
from alerts.models import Channel
from alerts.tests.standin import Answer, StandIn

WARNING_SIGN = "12 < 50 & <b>"
OVER = {"ongoing": False, "state": "resolved", "banner": "Resolved", "permitted": ["close"]}


def make_brief(**values: Any) -> Brief:
    facts: dict[str, Any] = {
        "incident": 7,
        "kind": "opened",
        "level": "CRITICAL",
        "state": "open",
        "language": "en",
        "headline": f"Denials at shop {WARNING_SIGN}",
        "banner": "CRITICAL",
        "lines": ["Since 12:00", "Seen 42"],
        "first_action": "Call the issuer.",
        "runbook": "https://wiki.example/decline",
        "url": "http://localhost:8001/incidents/7/",
        "link_text": "Open incident #7",
        "ongoing": True,
        "began": datetime(2026, 3, 2, 12, tzinfo=UTC),
        "permitted": ["acknowledge", "resolve", "close"],
        "source": "shop",
        "family": "decline",
    }
    return Brief(**{**facts, **values})


def outgoing(kind: str = "opened", **values: Any) -> Outgoing:
    brief = make_brief(kind=kind, **values.pop("brief", {}))
    return Outgoing(key="guardian-1", kind=kind, brief=brief, **values)


def send(kind: str, vendor: StandIn, message: Outgoing, **configuration: Any) -> Receipt:
    channel = Channel(name="x", kind=kind, configuration={"api": vendor.url, **configuration})
    assert adapter_of(channel).configured(channel)
    return adapter_of(channel).send(channel, message)


def refusal(kind: str, vendor: StandIn, answer: Answer, **configuration: Any) -> ChannelError:
    vendor.answers = [answer]
    with pytest.raises(ChannelError) as caught:
        send(kind, vendor, outgoing(), **configuration)
    return caught.value
