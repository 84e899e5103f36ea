"""The facts of an incident as a tired person needs them: short, local, in order of use."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Prefetch, prefetch_related_objects

from alerts.lifecycle import ONGOING, State, permitted
from alerts.messages.phrases import (
    ADVICE,
    DEFAULT,
    meaning_of,
    name_of,
    number,
    say,
    say_number,
)
from alerts.messages.timeline import is_taken_back
from alerts.models import Incident, IncidentEvent
from alerts.policy import LOW_FAMILIES, RANK
from detection.messages import ACTION_OF_FAMILY, WATCH
from detection.messages import first_action as action_of
from detection.models import Anomaly
from detection.scoring.wording import told

CODES_SHOWN = 3
# Shares up to this round to 0 %.
TOLD_SHARE = 0.005
PARTS_SHOWN = 5


@dataclass(frozen=True)
class Brief:
    """One message about one incident, in words; the channels only lay it out."""

    incident: int
    kind: str
    level: str
    state: str
    language: str
    headline: str
    banner: str
    lines: list[str]
    first_action: str
    runbook: str
    url: str
    link_text: str
    ongoing: bool
    began: datetime
    permitted: list[str] = field(default_factory=list)
    source: str = ""
    family: str = ""
    # The incident that it was merged into and that goes on; None for what stands for itself.
    part_of: int | None = None

    @property
    def over(self) -> bool:
        """It is over, and so is the incident that it was merged into, if any."""
        return not self.ongoing and self.part_of is None

    @property
    def text(self) -> str:
        """The whole message in one plain line, for notifications on a locked screen."""
        return f"{self.banner}: {self.headline}. {self.lines[0]}" if self.lines else self.headline


def brief_of(
    incident: Incident,
    *,
    kind: str,
    language: str,
    now: datetime,
    seen: Collection[int] | None = None,
) -> Brief:
    """Return what a message of this kind says about the incident as it is now.

    Parts are named as far as they are of the sources that the reader may see; None is all of them.
    """
    whole = _whole_of(incident)
    over = not incident.ongoing and whole is None
    prefetch_related_objects([incident], parts_of())
    parts = [one for one in incident.children.all() if seen is None or one.source_id in seen]
    return Brief(
        incident=incident.pk,
        kind=kind,
        level=incident.level,
        state=incident.state,
        language=language,
        headline=headline(incident, language) + _elsewhere(incident, language),
        banner=_banner(incident, kind, language),
        lines=[line for line in _lines(incident, parts, kind, language, now) if line],
        first_action="" if over else first_action(incident, language),
        runbook="" if over else runbook_of(incident),
        url=f"{settings.GUARDIAN_URL}{incident.get_absolute_url()}",
        link_text=say("open_page", language, id=incident.pk),
        ongoing=incident.ongoing,
        began=incident.onset,
        permitted=permitted(incident.state),
        source=str(incident.source),
        family=incident.family,
        part_of=whole.pk if whole else None,
    )


def _whole_of(incident: Incident) -> Incident | None:
    """Return what goes on and has taken the incident in; None if nothing has."""
    whole = incident.parent if incident.state == State.MERGED else None
    return whole if whole is not None and whole.ongoing else None


def parts_of() -> "Prefetch[Any]":
    """Return what reads the parts that a brief speaks of, for many incidents at once."""
    return Prefetch("children", Incident.objects.select_related("source").order_by("id"))


def headline(incident: Incident, language: str) -> str:
    """Return what broke, where."""
    family = incident.title or say(f"family.{incident.family}", language)
    if incident.direction == "low" and incident.family not in ("volume_low", "silence"):
        family = say("family.low", language, family=family)
    return say("headline", language, family=family, source=str(incident.source))


def runbook_of(incident: Incident) -> str:
    """Return the address of the family's runbook; empty if there is none."""
    runbooks: dict[str, str] = getattr(settings, "GUARDIAN_RUNBOOKS", {})
    return runbooks.get(incident.family, "")


def _elsewhere(incident: Incident, language: str) -> str:
    amount = len({one.source_id for one in incident.children.all()} - {incident.source_id})
    if not amount:
        return ""
    return f" {say_number('and_more', language, amount)}"


def first_action(incident: Incident, language: str) -> str:
    """Return the first thing to do: detection's words for the code or family, else ours."""
    if incident.family in LOW_FAMILIES and _silent_elsewhere(incident):
        return say("action.silence_everywhere", language)
    if not incident.recommendation:
        return say(f"action.{incident.family}", language)
    if incident.family in ACTION_OF_FAMILY and language != DEFAULT:
        return action_of(incident.family, RANK[incident.level], incident.auth_code, language)
    # What a part made critical may have begun as a warning; nobody waits and watches then.
    waited = WATCH.english if incident.level == "CRITICAL" else ""
    return told(incident.recommendation.removeprefix(waited), (ADVICE,), language)


def _silent_elsewhere(incident: Incident) -> bool:
    others = [one for one in incident.children.all() if one.source_id != incident.source_id]
    return any(one.family == "silence" for one in others)


def _banner(incident: Incident, kind: str, language: str) -> str:
    level = say(f"level.{incident.level}", language)
    if kind == "opened" or _is_call(incident, kind):
        return level.upper()
    if kind == "updated":
        return _standing(incident, level.upper(), language)
    return say(f"kind.{kind}", language, level=level.upper())


def _standing(incident: Incident, level: str, language: str) -> str:
    """Return how grave it is and who has it: an edited message is read by who comes later too."""
    if incident.state == State.OPEN:
        return level
    if incident.state in ONGOING:
        state = say(f"state.{incident.state}", language, who=incident.acknowledged_by)
        return f"{level}, {state}"
    if whole := _whole_of(incident):
        return say("part_of", language, id=whole.pk)
    if incident.state == State.MERGED:
        return say("state.merged", language).capitalize()
    return say("kind.resolved", language)


def _lines(
    incident: Incident, parts: list[Incident], kind: str, language: str, now: datetime
) -> list[str]:
    whole = _whole_of(incident)
    if not incident.ongoing and whole is None:
        if is_taken_back(incident):
            return [say("taken_back", language)]
        return [
            _its_own(_lasted(incident, language), incident, language),
            _its_own(excess_line(incident, language, over=True), incident, language),
            _ending(incident, language),
        ]
    return [
        say("part_of", language, id=whole.pk) if whole and kind != "updated" else "",
        _special(incident, kind, language, now),
        say("since", language, time=time_of(incident, incident.onset, now)),
        _its_own(seen_line(incident, language), incident, language),
        _its_own(excess_line(incident, language, over=False), incident, language),
        _external(incident),
        _codes(incident, language),
        _labelled("owner", name_of(incident.owner, language), language),
        _parts(parts, language),
        _labelled("assigned", incident.assigned_to if kind != "assigned" else "", language),
        _answered(incident, language),
    ]


def _its_own(text: str, incident: Incident, language: str) -> str:
    """Name the source of which a line tells where the headline speaks of more."""
    alone = not text or not _elsewhere(incident, language)
    return text if alone else f"{incident.source}: {text[:1].lower()}{text[1:]}"


def _special(incident: Incident, kind: str, language: str, now: datetime) -> str:
    if kind == "reminder" and incident.state == State.ACKNOWLEDGED and incident.acknowledged:
        ago = duration(now - incident.acknowledged, language)
        return say("reminder", language, who=incident.acknowledged_by, duration=ago)
    if _is_call(incident, kind):
        # Told again when it became graver or came back: an earlier answer does not count.
        told = incident.announced or incident.opened
        return say("escalation", language, duration=duration(now - told, language))
    if kind == "assigned":
        given = incident.events.filter(kind=IncidentEvent.Kind.ASSIGNED).last()
        return say("assigned_by", language, who=given.who) if given else ""
    return ""


def _is_call(incident: Incident, kind: str) -> bool:
    """Say whether somebody is called because nobody answered, and not because it became graver."""
    return kind == "escalated" and bool(incident.step) and incident.state == State.OPEN


def _answered(incident: Incident, language: str) -> str:
    if incident.state != "acknowledged":
        return ""
    text = say("state.acknowledged", language, who=incident.acknowledged_by)
    return text[:1].upper() + text[1:]


def _external(incident: Incident) -> str:
    return " ".join(str(reason) for reason in incident.reasons[:1]) if incident.key else ""


def _lasted(incident: Incident, language: str) -> str:
    end = incident.ended or incident.last_anomaly
    zone = ZoneInfo(incident.source.time_zone)
    begun = incident.onset.astimezone(zone)
    same_clock = begun.utcoffset() == end.astimezone(zone).utcoffset()
    return say(
        "lasted",
        language,
        duration=duration(end - incident.onset, language),
        begin=(_local if same_clock else time_of)(incident, incident.onset, end),
        end=time_of(incident, end, end),
    )


def _ending(incident: Incident, language: str) -> str:
    if incident.state == State.MERGED and incident.parent is not None:
        # A merged incident ended with the one it was merged into, and in the same way.
        incident = incident.parent
    if incident.label == Incident.Label.FALSE_POSITIVE:
        return say("false_positive", language, who=incident.resolved_by)
    if incident.resolved_by:
        return say("resolved_by", language, who=incident.resolved_by)
    return say("resolved_alone", language)


def seen_line(incident: Incident, language: str) -> str:
    """Return the worst minute against what was expected of it; empty if that is unknown."""
    if incident.expected is None or incident.family == "silence":
        return ""
    values = {"seen": number(incident.seen, language)}
    values["expected"] = number(incident.expected, language)
    if incident.lower is None or incident.upper is None:
        return _told_of(incident, language) + say("seen", language, **values)
    values["lower"] = number(incident.lower, language)
    values["upper"] = number(incident.upper, language)
    return _told_of(incident, language) + say("seen_band", language, **values)


def _told_of(incident: Incident, language: str) -> str:
    what = counted(incident, language)
    return f"{what}: " if what else ""


def counted(found: Incident | Anomaly, language: str) -> str:
    """Return the status and code that were counted, as in "denied 51"; empty if it was all."""
    if not found.status or found.family.startswith("volume"):
        return ""
    code = f" {found.auth_code}" if found.auth_code not in ("", "00") else ""
    return f"{name_of(found.status, language)}{code}"


def excess_line(incident: Incident, language: str, *, over: bool) -> str:
    """Return how many transactions too many or too few, with the interval; empty if unknown."""
    if incident.excess is None:
        return ""
    side = "low" if incident.excess < 0 else "high"
    values = {"excess": number(abs(incident.excess), language)}
    if incident.excess_low is None or incident.excess_high is None:
        return say(f"excess.{side}.bare", language, **values)
    ends = sorted((incident.excess_low, incident.excess_high), key=abs)
    # An interval that spans zero is shown from 0 on.
    crosses = incident.excess_low < 0 < incident.excess_high
    values["low"] = number(0 if crosses else abs(ends[0]), language)
    values["high"] = number(abs(ends[1]), language)
    return say(f"excess.{side}{'.over' if over else ''}", language, **values)


def _codes(incident: Incident, language: str) -> str:
    shown = []
    for code, share in code_shares(incident.contributions)[:CODES_SHOWN]:
        meaning, percent = meaning_of(code, language), round(100 * share)
        text = say("code", language, code=code, meaning=meaning, share=percent)
        # A code without a known meaning leaves two spaces.
        shown.append(" ".join(text.split()))
    return _labelled("codes", ", ".join(shown), language)


def code_shares(contributions: list[Any]) -> list[tuple[str, float]]:
    """Return the auth codes that contributed, with their share of the excess, 0..1.

    What would be told as 0 % is left out.

    Examples
    --------
    >>> code_shares([{"auth_code": "05", "share": 0.2}, {"auth_code": "51", "share": 0.796},
    ...              {"auth_code": "59", "share": 0.005}])
    [('51', 0.796), ('05', 0.2)]
    """
    found = []
    for part in contributions:
        if isinstance(part, dict) and (code := part.get("auth_code") or part.get("code")):
            found.append((str(code), float(part.get("share") or 0.0)))
    return sorted((one for one in found if one[1] > TOLD_SHARE), key=lambda pair: -pair[1])


def _parts(parts: list[Incident], language: str) -> str:
    named = [headline(part, language) for part in parts[:PARTS_SHOWN]]
    return _labelled("parts", "; ".join(named), language)


def _labelled(key: str, value: str, language: str) -> str:
    return f"{say(key, language)}: {value}" if value else ""


def duration(length: timedelta, language: str) -> str:
    """Write a length of time, to the minute.

    Examples
    --------
    >>> duration(timedelta(minutes=95), "en")
    '1 h 35 min'
    """
    minutes = max(round(length.total_seconds() / 60), 0)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return say("duration.days", language, days=days, hours=hours)
    if hours:
        return say("duration.hours", language, hours=hours, minutes=minutes)
    return say("duration.minutes", language, minutes=minutes)


def time_of(found: Incident | Anomaly, moment: datetime, now: datetime) -> str:
    """Write a time by the clock of the source, for somebody who may be elsewhere."""
    local = moment.astimezone(ZoneInfo(found.source.time_zone))
    return f"{_local(found, moment, now)} {offset_of(local)}"


def offset_of(local: datetime) -> str:
    """Write how far a clock is from UTC.

    Examples
    --------
    >>> offset_of(datetime(2026, 3, 2, tzinfo=ZoneInfo("America/Sao_Paulo")))
    'UTC-3'
    >>> offset_of(datetime(2026, 3, 2, tzinfo=ZoneInfo("Asia/Kolkata")))
    'UTC+5:30'
    """
    minutes = round((local.utcoffset() or timedelta()) / timedelta(minutes=1))
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+"
    return f"UTC{sign}{hours}" + (f":{rest:02d}" if rest else "")


def _local(found: Incident | Anomaly, moment: datetime, now: datetime) -> str:
    zone = ZoneInfo(found.source.time_zone)
    local = moment.astimezone(zone)
    if local.date() == now.astimezone(zone).date():
        return f"{local:%H:%M}"
    return f"{local:%Y-%m-%d %H:%M}"
