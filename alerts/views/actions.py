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
from alerts.services.acting import SILENCE_MINUTES

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
    """

    name: str
    title: str | Promise
    done: str | Promise
    needs: str
    service: Callable[..., object]
    fields: tuple[str, ...] = ("why",)
    main: bool = False

    def carry_out(self, *, incident_id: int, actor: str, now: datetime, form: QueryDict) -> None:
        """The service has done it for `actor`; its refusals are passed on."""
        asked = {name: form.get(name, "") for name in self.fields}
        self.service(incident_id=incident_id, actor=actor, via="web", now=now, **asked)


def silence_for_an_hour(*, why: str, **by: Any) -> None:
    """The same as the button under a message in Slack."""
    services.silence_incident(minutes=SILENCE_MINUTES, **by)


ACTS = (
    Act("acknowledge", _("Acknowledge"), _("Acknowledged: it is yours."), "acknowledge",
        services.acknowledge, main=True),
    Act("mitigate", _("Workaround holds"), _("Marked as mitigated."), "mitigate",
        services.mitigate),
    Act("resolve", _("Resolve"), _("Resolved."), "resolve", services.resolve),
    Act("silence", _("Silence 1 h"), _("Nobody is told of this source and family for an hour."),
        "resolve", silence_for_an_hour),
    Act("false-positive", _("False positive"), _("Closed as a false positive."), "close",
        services.mark_false_positive),
    Act("reopen", _("Reopen"), _("Open again."), "reopen", services.reopen),
    Act("close", _("Close as"), _("Closed."), "close", services.close, ("label", "why")),
    Act("end-silence", _("End the silence"), _("The silence is over: what goes on is told."), "",
        services.end_silences_of, ()),
    Act("comment", _("Comment"), _("Comment kept."), "", services.comment, ("text",)),
)  # fmt: skip
BY_NAME = {act.name: act for act in ACTS}
LABELS = Incident.Label.choices


def buttons(permitted: list[str]) -> list[Act]:
    """Return the acts that are one press each, as far as the incident's state permits them."""
    return [act for act in ACTS if act.fields == ("why",) and act.needs in permitted]
