"""A period in words: the digest, and the hand-over at a change of shift."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from alerts.messages.brief import duration, headline, offset_of, time_of
from alerts.messages.phrases import say, say_number
from alerts.messages.stored import line_told, silenced_told

if TYPE_CHECKING:
    from alerts.models import Incident, Silence
    from alerts.selectors.reports import Report
    from alerts.selectors.statistics import Means

SOURCES_SHOWN = 5
MEANS = ("mttd", "mtta", "mttr", "mtbf")


def render(report: "Report", language: str) -> str:
    """Return the report as lines of plain text."""
    total = report.statistics.total
    incidents = say_number("report.incidents", language, total.incidents)
    lines = [f"{incidents}, {say_number('report.false', language, total.false_positives)}"]
    lines += [f"- {_outline(incident, report.until, language)}" for incident in report.worst]
    if times := _means(total, language):
        lines.append(times)
    lines += _list("report.by_source", _sources(report, language), language)
    still_open = [_outline(one, report.until, language) for one in report.still_open]
    lines += _list("report.open", still_open, language)
    lines += _list(
        "report.silences", [_silence(one, language) for one in report.silences], language
    )
    lines += _list("report.windows", [one.name for one in report.windows], language)
    notes = [f"#{one.incident_id} {one.who}: {line_told(one, language)}" for one in report.comments]
    lines += _list("report.notes", notes, language)
    duties = [
        f"{one.schedule}: {one.user.get_username() if one.user else '-'}" for one in report.on_call
    ]
    lines += _list("report.on_call", duties, language)
    if report.dead_letters:
        lines.append(say_number("report.dead", language, report.dead_letters))
    return "\n".join(lines)


def title(report: "Report", kind: str, language: str, zone: str = "UTC") -> str:
    """Return the report's title with its period, by the clock of a zone."""
    since, until = (one.astimezone(ZoneInfo(zone)) for one in (report.since, report.until))
    before = "" if since.utcoffset() == until.utcoffset() else f" {offset_of(since)}"
    span = f"{since:%Y-%m-%d %H:%M}{before} – {until:%Y-%m-%d %H:%M} {offset_of(until)}"
    return say(f"report.{kind}", language, span=span)


def _list(key: str, items: list[str], language: str) -> list[str]:
    return [f"{say(key, language)}:", *(f"- {item}" for item in items)] if items else []


def _silence(silence: "Silence", language: str) -> str:
    what = say("report.silence", language, id=silence.pk, end=f"{silence.ends:%Y-%m-%d %H:%M}")
    parts = [what, str(silence.source or ""), silenced_told(silence.reason, language)]
    return ", ".join(part for part in parts if part)


def _outline(incident: "Incident", now: datetime, language: str) -> str:
    """Return what broke, how grave it was, when, and who has it where it goes on."""
    level = say(f"level.{incident.level}", language)
    words = [level, time_of(incident, incident.onset, now)]
    if incident.ended is not None:
        words.append(duration(incident.ended - incident.onset, language))
    elif incident.holder:
        words.append(say("report.held", language, who=incident.holder))
    else:
        words.append(say("report.nobodys", language))
    return f"#{incident.pk} {headline(incident, language)}: {', '.join(words)}"


def _sources(report: "Report", language: str) -> list[str]:
    if len(report.statistics.by_source) < 2:
        return []
    found = []
    for name, means in report.statistics.busiest_sources(SOURCES_SHOWN):
        count = say_number("report.incidents", language, means.incidents)
        times = _means(means, language)
        found.append(f"{name}: {count}, {times}" if times else f"{name}: {count}")
    return found


def _means(means: "Means", language: str) -> str:
    found = []
    for name in MEANS:
        value = getattr(means, name)
        if value is not None:
            found.append(f"{name.upper()} {duration(timedelta(seconds=value), language)}")
    return ", ".join(found)
