"""What a page offers to do with an incident, and the service that does it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from alerts import services
from alerts.models import Incident
from alerts.services.acting import SILENCE_MINUTES, act

Asked = dict[str, Any]


@dataclass(frozen=True)
class Act:
    """One button.

    Attributes
    ----------
    needs : str
        What the lifecycle must permit; empty: always possible.
    fields : tuple of str
        What the service wants to know besides who acts.
    seldom : bool
        It stands under “More”.
    """

    name: str
    title: str | Promise
    done: str | Promise
    needs: str
    service: Callable[..., object]
    fields: tuple[str, ...] = ("why",)
    main: bool = False
    seldom: bool = False

    def carry_out(self, *, incident_id: int, actor: str, now: datetime, form: QueryDict) -> None:
        """The service has done it for `actor`; its refusals are passed on."""
        asked = {name: _written(form.get(name, "")) for name in self.fields}
        self.service(incident_id=incident_id, actor=actor, via="web", now=now, **asked)


def _written(text: str) -> str:
    """Return what a person wrote, as every database keeps it."""
    # A browser counts an end of a line as one letter and sends two: the text would be cut.
    # PostgreSQL takes no NUL.
    return text.replace("\r\n", "\n").replace("\0", "\N{REPLACEMENT CHARACTER}")


def silence_for_an_hour(*, why: str, **by: Any) -> None:
    """The same as the button under a message in Slack."""
    services.silence_incident(minutes=SILENCE_MINUTES, **by)


def take(*, actor: str, was: str, **by: Any) -> None:
    """The incident is whose click it was, unless it became somebody else's since the page."""
    services.assign(to=actor, was=was, actor=actor, **by)


def merge_into(*, into: str, **by: Any) -> None:
    """The incident is part of the one that was chosen."""
    act("merge", into=number_in(into), **by)


def split_off(*, incident_id: int, part: str, whole: str, **by: Any) -> None:
    """The part that was chosen is split off the incident; the incident off its whole if none."""
    if (number := number_in(part)) is None:
        services.split(incident_id=incident_id, from_id=number_in(whole), **by)
    else:
        services.split(incident_id=number, from_id=incident_id, **by)


def number_in(text: str) -> int | None:
    """Return the number of an incident in a form; None if there is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


ACTS = (
    Act("acknowledge", _("Acknowledge"), _("Acknowledged: it is yours."), "acknowledge",
        services.acknowledge, main=True),
    Act("mitigate", _("Mark mitigated"), _("Marked as mitigated."), "mitigate",
        services.mitigate),
    Act("resolve", _("Resolve"), _("Resolved."), "resolve", services.resolve),
    Act("silence", _("Silence 1 h"),
        _("Nobody is notified about this source and family for an hour."), "resolve",
        silence_for_an_hour),
    Act("false-positive", _("False positive"), _("Closed as a false positive."), "close",
        services.mark_false_positive),
    Act("reopen", _("Reopen"), _("Reopened."), "reopen", services.reopen),
    Act("take", _("Assign to me"), _("Assigned to you."), "", take, ("was",)),
    Act("assign", _("Assign"), _("Assignment saved."), "", services.assign,
        ("to", "was"), seldom=True),
    Act("merge", _("Merge"),
        _("Merged: from now on notifications go out for the other incident only."), "merge",
        merge_into, ("into",), seldom=True),
    Act("split", _("Split off"), _("Split off: it is a separate incident again."), "", split_off,
        ("part", "whole"), seldom=True),
    Act("close", _("Close as"), _("Closed."), "close", services.close, ("label", "why")),
    Act("end-silence", _("End the silence"),
        _("Silence ended: notifications for what is still ongoing go out now."), "",
        services.end_silences_of, ()),
    Act("comment", _("Comment"), _("Comment added."), "", services.comment, ("text",)),
)  # fmt: skip
BY_NAME = {act.name: act for act in ACTS}
LABELS = Incident.Label.choices
# What in a form names another incident, which one must be able to see.
OTHERS = ("into", "part")


def buttons(permitted: list[str]) -> list[Act]:
    """Return the acts that are one press each, as far as the incident's state permits them."""
    return [act for act in ACTS if act.fields == ("why",) and act.needs in permitted]
