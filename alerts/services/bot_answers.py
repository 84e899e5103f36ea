"""What the bot says when it is asked how things stand."""

from datetime import datetime, timedelta

from alerts.messages.brief import duration, headline, time_of
from alerts.messages.phrases import say, say_number
from alerts.messages.stored import reason_told, stage_told
from alerts.messages.telegram import MARKS, escape
from alerts.models import Incident
from alerts.selectors.incidents import newest_anomalies, open_incidents, seen
from alerts.selectors.outbox import oldest_pending_age
from alerts.selectors.watch import stage_states

SHOWN = 10
# The sources that the chat hears of; None is all of them.
Heard = frozenset[int] | None


def status(*, language: str, now: datetime, heard: Heard) -> str:
    """Return how many incidents are open, what waits, and which stage stands still."""
    levels = [incident.level for incident in seen(open_incidents(), heard)]
    age = oldest_pending_age(now)
    outbox = say("bot.outbox.fine", language)
    if age is not None:
        outbox = say(
            "bot.outbox.waits", language, duration=duration(timedelta(seconds=age), language)
        )
    critical = levels.count("CRITICAL")
    count = say_number("bot.open", language, len(levels))
    lines = [say("bot.status", language, open=count, critical=critical, outbox=outbox)]
    stopped = [state.stage for state in stage_states(now=now) if state.stopped]
    lines += [say("bot.stage", language, stage=stage_told(one, language)) for one in stopped]
    return escape("\n".join(lines))


def incidents(*, language: str, now: datetime, heard: Heard) -> str:
    """Return the open incidents, the gravest first."""
    lines = [
        f"{MARKS[incident.level]} #{incident.pk} {headline(incident, language)},"
        f" {duration(now - incident.onset, language)}, {_state(incident, language)}"
        for incident in seen(open_incidents(), heard)[:SHOWN]
    ]
    return escape("\n".join(lines) or say("bot.none", language))


def anomalies(*, language: str, now: datetime, heard: Heard) -> str:
    """Return the last findings: when, what, how much, why."""
    lines = []
    for anomaly in newest_anomalies(sources=heard):
        why = reason_told(anomaly.reasons[0], language) if anomaly.reasons else f"{anomaly.count}"
        family = say(f"family.{anomaly.family}", language)
        when = time_of(anomaly, anomaly.minute, now)
        lines.append(f"{MARKS[anomaly.level]} {when} {anomaly.source}, {family}: {why}")
    return escape("\n".join(lines) or say("bot.none", language))


def _state(incident: Incident, language: str) -> str:
    values = {"who": incident.acknowledged_by, "label": incident.label}
    return say(f"state.{incident.state}", language, **values)
