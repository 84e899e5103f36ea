"""The acts on an incident by their names, the same for the API, Slack and Telegram."""

from collections.abc import Callable
from datetime import datetime

from alerts.services import triage
from alerts.services.silencing import silence_incident

SILENCE_MINUTES = 60
NAMES = (
    "acknowledge",
    "mitigate",
    "resolve",
    "false-positive",
    "close",
    "reopen",
    "merge",
    "split",
    "assign",
    "comment",
    "silence",
)
WITH_WHY: dict[str, Callable[..., object]] = {
    "acknowledge": triage.acknowledge,
    "mitigate": triage.mitigate,
    "resolve": triage.resolve,
    "false-positive": triage.mark_false_positive,
    "reopen": triage.reopen,
    "split": triage.split,
}


def act(
    action: str,
    *,
    incident_id: int,
    actor: str,
    via: str,
    now: datetime,
    why: str = "",
    label: str = "",
    text: str = "",
    into: int | None = None,
    minutes: int | None = None,
    to: str | None = None,
    was: str | None = None,
) -> None:
    """The act is done; what it lacks or the incident's state forbids is a ValueError.

    Raises
    ------
    ValueError
        If there is no such act, or something it needs is missing.
    IllegalTransition
        If the incident's state forbids it.
    """
    by = {"incident_id": incident_id, "actor": actor, "via": via, "now": now}
    if action in WITH_WHY:
        WITH_WHY[action](**by, why=why)
    elif action == "close":
        triage.close(**by, label=label, why=why)  # type: ignore[arg-type]
    elif action == "merge":
        if into is None:
            raise ValueError("“into” must name the incident to merge into.")
        triage.merge(**by, into_id=into, why=why)  # type: ignore[arg-type]
    elif action == "assign":
        if to is None:
            raise ValueError("“to” must name who to assign the incident to; empty means nobody.")
        triage.assign(**by, to=to, was=was, why=why)  # type: ignore[arg-type]
    elif action == "comment":
        triage.comment(**by, text=text or why)  # type: ignore[arg-type]
    elif action == "silence":
        silence_incident(**by, minutes=minutes or SILENCE_MINUTES)  # type: ignore[arg-type]
    else:
        raise ValueError(f"“{action}” is not an action; use one of {', '.join(NAMES)}.")
