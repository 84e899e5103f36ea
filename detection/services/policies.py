"""Policies and special days from a file: all of it is applied, or nothing and the reasons told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Field, FloatField, Model

from detection.models import Policy, SpecialDay
from detection.models.policy import OF_OLD, POLICY_FIELDS
from detection.selectors.declarations import forget_declarations
from ingest.models import Source
from ingest.services.sources import site_zone

DAY_FIELDS = ("name", "kind", "source", "starts", "ends", "factor")
SECTIONS = ("default", "sources", "special_days")
USUAL_NAME = "policies.yaml"


class PolicyFileError(ValueError):
    """The file cannot be applied; each entry of `faults` says where and why."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class _Loader(yaml.SafeLoader):
    """Refuses a name that stands twice in one place: YAML would take the last without a word."""

    def compose_mapping_node(self, anchor: Any) -> Any:
        node = super().compose_mapping_node(anchor)
        said: set[str] = set()
        for key in [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)]:
            if key.value in said:
                told = f"{key.value} stands here twice"
                raise yaml.constructor.ConstructorError(None, None, told, key.start_mark)
            said.add(key.value)
        return node


def read_yaml(text: str) -> Any:
    """What a file of policies says.

    Raises
    ------
    YAMLError, ValueError
        If it says something twice, or is no YAML: a date such as 2026-13-01 is a ValueError.
    """
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader


@dataclass
class Plan:
    """What a file asks for, checked but not yet written."""

    policies: list[Policy] = field(default_factory=list)
    # Each with where in the file it stands.
    days: list[tuple[str, SpecialDay]] = field(default_factory=list)
    # Stored days that the file has brought and does not name any more.
    dropped: list[SpecialDay] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    # what would differ from what is stored
    changed: list[str] = field(default_factory=list)


def apply_policies(*, text: str, name: str = USUAL_NAME, check: bool = False) -> list[str]:
    """The policies and special days of the file hold; what changed is returned.

    A policy that the file names is replaced as a whole: what it leaves out has its default again.
    A special day that a file of this name has brought, and that this one does not name, is taken
    away. What people or other files declared stays.
    """
    plan = read_plan(text, name)
    if plan.faults:
        raise PolicyFileError(plan.faults)
    if not check:
        with transaction.atomic():
            for policy in plan.policies:
                policy.save()
            for day in plan.dropped:
                day.delete()
            for _, day in plan.days:
                day.save()
        forget_declarations()
    return plan.changed


def read_plan(text: str, name: str) -> Plan:
    """Check a file against the database; faults are collected, none is raised."""
    plan = Plan()
    try:
        sent = read_yaml(text)
    except (yaml.YAMLError, ValueError) as error:
        plan.faults.append(f"not YAML: {error}")
        return plan
    if not isinstance(sent, Mapping):
        plan.faults.append(f"a mapping with {', '.join(SECTIONS)} is expected")
        return plan
    known = ", ".join(SECTIONS)
    plan.faults += [
        f"{section}: not known here; known are {known}"
        for section in sent
        if section not in SECTIONS
    ]
    if "default" in sent:
        _plan_policy(plan, "default", None, sent["default"])
    for source_name, asked in _entries(plan, sent, "sources", Mapping).items():
        source = Source.objects.filter(name=source_name).first()
        if source is None:
            plan.faults.append(f"sources.{source_name}: no source has this name")
        else:
            _plan_policy(plan, f"sources.{source_name}", source, asked)
    for number, asked in enumerate(_entries(plan, sent, "special_days", list), 1):
        _plan_day(plan, f"special_days[{number}]", asked)
    _refuse_doubles(plan)
    _match_stored(plan, name)
    return plan


def read_settings(asked: Mapping[Any, Any]) -> dict[str, Any]:
    """Settings of a policy as they would be stored; None leaves one to the default.

    Raises
    ------
    ValidationError
        If any is wrong; it says under each name what is wrong there.
    """
    faults: dict[str, list[str]] = {}
    settings: dict[str, Any] = {}
    for name, value in asked.items():
        if name not in POLICY_FIELDS:
            known = ", ".join(POLICY_FIELDS)
            faults[str(name)] = [f"not a setting of a policy; those are {known}"]
            continue
        try:
            settings[name] = _stored_as(Policy, name, value)
        except ValidationError as error:
            faults[name] = error.messages
    if faults:
        raise ValidationError(faults)
    Policy(**settings).clean_together()
    return settings


def _stored_as(model: type[Model], name: str, value: object) -> Any:
    """The value as a field of the model would store it."""
    field = model._meta.get_field(name)
    assert isinstance(field, Field)
    if isinstance(value, bool) and isinstance(field, FloatField):
        raise ValidationError("A number is expected, not yes or no.")
    try:
        return None if value is None else field.clean(value, None)
    except OverflowError:
        raise ValidationError("This number is too large.") from None


def _entries(plan: Plan, sent: Mapping[str, Any], name: str, kind: type) -> Any:
    found = sent.get(name)
    if found is None:
        return [] if kind is list else {}
    if isinstance(found, kind):
        return found
    plan.faults.append(f"{name}: must be a {'list' if kind is list else 'mapping'}")
    return [] if kind is list else {}


def _plan_policy(plan: Plan, where: str, source: Source | None, asked: object) -> None:
    if asked is not None and not isinstance(asked, Mapping):
        plan.faults.append(f"{where}: must be a mapping")
        return
    try:
        values = read_settings(asked or {})
    except ValidationError as error:
        _fault(plan, where, error)
        return
    policy = Policy.objects.filter(source=source).first() or Policy(source=source)
    before = {name: getattr(policy, name) for name in POLICY_FIELDS}
    for name in POLICY_FIELDS:
        setattr(policy, name, values.get(name))
    if _is_valid(plan, where, policy):
        plan.policies.append(policy)
        if policy._state.adding or before != {
            name: getattr(policy, name) for name in POLICY_FIELDS
        }:
            plan.changed.append(where)


def _plan_day(plan: Plan, where: str, asked: object) -> None:
    if not isinstance(asked, Mapping):
        plan.faults.append(f"{where}: must be a mapping")
        return
    known = ", ".join(DAY_FIELDS)
    plan.faults += [
        f"{where}.{name}: not known; known are {known}" for name in asked if name not in DAY_FIELDS
    ]
    source = None
    if asked.get("source") is not None:
        source = Source.objects.filter(name=asked["source"]).first()
        if source is None:
            plan.faults.append(f"{where}.source: no source has this name")
            return
    zone = ZoneInfo(source.time_zone) if source else site_zone()
    starts, ends = _moment(asked.get("starts"), zone), _moment(asked.get("ends"), zone)
    for name, value in (("starts", starts), ("ends", ends)):
        if value is None:
            plan.faults.append(f"{where}.{name}: a time such as 2026-11-27T00:00 is expected")
    if starts is None or ends is None:
        return
    day = SpecialDay(source=source, name=asked.get("name", ""), starts=starts, ends=ends)
    try:
        day.factor = _stored_as(SpecialDay, "factor", asked.get("factor"))
    except ValidationError as error:
        plan.faults += [f"{where}.factor: {text}" for text in error.messages]
        return
    day.kind = asked.get("kind", SpecialDay.Kind.PROMOTION)
    if _is_valid(plan, where, day):
        plan.days.append((where, day))


def _refuse_doubles(plan: Plan) -> None:
    """One day said twice would count twice: their factors are multiplied."""
    for place, (where, day) in enumerate(plan.days):
        for before, other in plan.days[:place]:
            if _is_same(day, other):
                plan.faults.append(f"{where}: {day.name} is said for the same time by {before}")


def _match_stored(plan: Plan, name: str) -> None:
    """Days that are stored already are changed; those the file has brought before are dropped."""
    stored = list(SpecialDay.objects.order_by("starts", "pk"))
    for where, day in sorted(plan.days, key=lambda one: not _begins_as(one[1], stored)):
        day.brought_by = name
        same = [one for one in stored if _is_same(day, one)]
        same.sort(key=lambda one: one.starts != day.starts)
        known = same[0] if same else None
        if known is not None:
            stored.remove(known)
            day.pk, day.created, day._state.adding = known.pk, known.created, False
            if not known.brought_by:
                day.brought_by = ""
        if known is None or _said(known) != _said(day):
            plan.changed.append(f"{where} {day.name}")
    for one in stored:
        # One of old that stands beside a day of the file is that day, stored twice.
        again = one.brought_by == OF_OLD and any(_is_same(day, one) for _, day in plan.days)
        if one.brought_by == name or again:
            plan.dropped.append(one)
            plan.changed.append(f"{one} of {one.starts:%Y-%m-%d %H:%M} UTC, taken away")


def _begins_as(day: SpecialDay, stored: Sequence[SpecialDay]) -> bool:
    return any(_is_same(day, one) and day.starts == one.starts for one in stored)


def _is_same(one: SpecialDay, other: SpecialDay) -> bool:
    """Whether two days have one name, one source and some time in common."""
    overlap = one.starts < other.ends and other.starts < one.ends
    return overlap and (one.source_id, one.name) == (other.source_id, other.name)


def _said(day: SpecialDay) -> tuple[object, ...]:
    return day.starts, day.ends, day.factor, day.kind


def _moment(value: object, zone: ZoneInfo) -> datetime | None:
    """A moment as YAML gives it, in UTC; without a zone it is in that of the source."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    if not isinstance(value, datetime):
        return None
    try:
        return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        # The calendar of UTC ends, or begins, before that of the source.
        return None


def _is_valid(plan: Plan, where: str, row: Policy | SpecialDay) -> bool:
    try:
        row.full_clean()
    except ValidationError as error:
        _fault(plan, where, error)
        return False
    return True


def _fault(plan: Plan, where: str, error: ValidationError) -> None:
    for name, texts in error.message_dict.items():
        plan.faults += [f"{where}.{name}: {text}" for text in texts]
