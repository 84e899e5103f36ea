"""What analysts say changes the baseline or proposes a policy; all of it can be taken back."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Abs

from detection.clock import EPOCH, minute_of, moment_of
from detection.episodes import Window
from detection.models import Anomaly, Family, Label, Policy, Proposal, Recheck
from detection.selectors.declarations import declarations, forget_declarations, read_declarations
from detection.services.backtesting import Trial, reckoned, report_of, run_trial
from detection.services.forests import live_forest
from detection.services.rehearsing import Progress
from detection.services.storing import withdraw_minutes
from ingest.models import Source
from ingest.repeats.answers import forget_answers

# Labels of these kinds change how minutes are judged, so these are judged again.
REJUDGED = (Label.Kind.EXPECTED, Label.Kind.NEW_LEVEL, Label.Kind.DATA_PROBLEM)
UNDECIDED = (Proposal.State.WAITING, Proposal.State.OFFERED)
# A proposal is tried on this much history before and after its label.
TRIED = timedelta(days=14)
# Nobody is told to accept more than this many times the excess allowed so far.
LARGEST_STEP = 20.0
MARGIN = 1.1


def label_deviation(
    *,
    source: Source,
    kind: str,
    starts: datetime,
    ends: datetime,
    family: str = "",
    note: str = "",
    author: User | None = None,
    incident: int | None = None,
    now: datetime,
) -> Label:
    """The label is kept, its minutes are due to be judged again, and noise has a proposal."""
    label = Label(
        source=source,
        kind=kind,
        starts=starts,
        ends=ends,
        family=family,
        note=note,
        author=author,
        incident=incident,
        created=now,
    )
    label.full_clean(exclude=["author"])
    with transaction.atomic():
        label.save()
        _judge_again(label, now)
        if kind == Label.Kind.DATA_PROBLEM:
            first, last = minute_of(starts), minute_of(ends)
            withdraw_minutes(source_id=source.pk, first=first, last=last, now=now)
        if kind == Label.Kind.NOISE:
            _propose(label)
    forget_declarations()
    return label


def revoke_label(*, label: Label, by: User | None, now: datetime) -> Label:
    """The label no longer holds, and its minutes are due to be judged again without it."""
    with transaction.atomic():
        label = Label.objects.select_for_update().get(pk=label.pk)
        if label.revoked is not None:
            return label
        label.revoked, label.revoked_by = now, by
        label.save(update_fields=["revoked", "revoked_by"])
        _judge_again(label, now)
        waiting = label.proposals.filter(state__in=UNDECIDED)
        waiting.update(state=Proposal.State.DISMISSED, decided=now, reason="the label was revoked")
    forget_declarations()
    return label


def revoke_labels_of(*, incident: int, now: datetime) -> None:
    """What was said by closing an incident no longer holds."""
    for label in Label.objects.filter(incident=incident, revoked=None):
        revoke_label(label=label, by=None, now=now)


def _judge_again(label: Label, now: datetime) -> None:
    if label.kind not in REJUDGED:
        return
    when = label.ends if label.kind == Label.Kind.NEW_LEVEL else label.starts
    hour = moment_of(minute_of(when) // 60 * 60)
    Recheck.objects.create(source=label.source, hour=hour, claimed=now, forced=True)
    # A repeat must not be told what was said before.
    transaction.on_commit(partial(forget_answers, [label.source_id]))


def _propose(label: Label) -> None:
    """A change under which this would not have been told: a larger excess, or fewer pages."""
    changes = _quieter(label)
    if changes:
        Proposal.objects.create(label=label, changes=changes)


def _quieter(label: Label) -> dict[str, float]:
    found = Anomaly.objects.filter(
        source=label.source, minute__gte=label.starts, minute__lte=label.ends
    )
    if label.family:
        found = found.filter(family=label.family)
    # Of silence people are told however little is missing.
    sized = found.exclude(family=Family.SILENCE)
    spread = sized.aggregate(most=Max(Abs("excess")))["most"]
    policy = declarations().settings_of(label.source_id).policy
    allowed = float(policy.minimum_excess[0])
    if spread is not None and 0 < spread <= LARGEST_STEP * max(allowed, 1.0):
        return {"minimum_excess": float(math.ceil(MARGIN * spread))}
    return {"pages_per_week": round(float(policy.pages_per_week[0]) / 2, 4)}


def try_proposal(
    *, proposal: Proposal, now: datetime, progress: Progress | None = None
) -> Proposal:
    """The proposal is offered, or refused since a confirmed incident would be lost by it.

    What was decided while it was tried stands.
    """
    label = proposal.label
    sources = {label.source_id: label.source.name}
    since, until = _tried_between(label, now)
    run = partial(
        run_trial,
        sources=sources,
        since=since,
        until=until,
        forest=live_forest(),
        progress=progress,
        now=now,
    )
    tried, usual = run(changes=proposal.changes), run()
    after = report_of(tried, changes=proposal.changes, seconds=0)["total"]
    before = report_of(usual, changes={}, seconds=0)["total"]
    state, reason = _decision(before, after, _lost(usual, tried))
    waiting = Proposal.objects.filter(pk=proposal.pk, state=Proposal.State.WAITING)
    waiting.update(state=state, reason=reason, report={"before": before, "after": after})
    proposal.refresh_from_db()
    return proposal


def _tried_between(label: Label, now: datetime) -> tuple[datetime, datetime]:
    """The history around a label, which may end ages from now or begin ages ago."""
    until = now if label.ends > now - TRIED else label.ends + TRIED
    return max(label.starts, EPOCH + TRIED) - TRIED, until


def _lost(usual: Trial, tried: Trial) -> list[Window]:
    """Confirmed incidents that people would hear of no more, whichever others they would."""
    found = set(reckoned(usual).found)
    return [one for one in reckoned(tried).lost if one in found]


def _decision(
    before: Mapping[str, Any], after: Mapping[str, Any], lost: Sequence[Window]
) -> tuple[str, str]:
    if lost:
        first = moment_of(min(one.first for one in lost))
        return (
            Proposal.State.REFUSED,
            f"{len(lost)} confirmed incident(s) would no longer be told, the first of "
            f"{first:%Y-%m-%d %H:%M} UTC",
        )
    spared = before["pages"] - after["pages"]
    if spared <= 0 and after["warnings"] >= before["warnings"]:
        return Proposal.State.REFUSED, "nothing would change"
    return (
        Proposal.State.OFFERED,
        f"{spared} page(s) fewer, no confirmed incident lost, "
        f"{after['incidents_caught']} still caught",
    )


def apply_proposal(*, proposal: Proposal, by: User | None, now: datetime) -> Proposal:
    """The policy of the source has the proposed values; what they were is kept.

    Raises
    ------
    ValueError
        If it is not offered, or what holds by now is quieter: others were proposed beside it.
    """
    with transaction.atomic():
        proposal = Proposal.objects.select_for_update().get(pk=proposal.pk)
        if proposal.state != Proposal.State.OFFERED:
            raise ValueError(f"Only an offered proposal can be applied, this one is: {proposal}")
        policy = _locked_policy(proposal)
        _refuse_louder(proposal)
        proposal.before = {name: getattr(policy, name) for name in proposal.changes}
        _write(policy, proposal.changes)
        _decide(proposal, Proposal.State.APPLIED, by, now)
    forget_declarations()
    return proposal


def revert_proposal(*, proposal: Proposal, by: User | None, now: datetime) -> Proposal:
    """The policy of the source has the values it had before the proposal was applied.

    Raises
    ------
    ValueError
        If somebody has changed these values since: going back would undo that too.
    """
    with transaction.atomic():
        proposal = Proposal.objects.select_for_update().get(pk=proposal.pk)
        if proposal.state != Proposal.State.APPLIED:
            raise ValueError(f"Only an applied proposal can be reverted, this one is: {proposal}")
        policy = _locked_policy(proposal)
        _refuse_changed_since(proposal, policy)
        _write(policy, proposal.before)
        _decide(proposal, Proposal.State.REVERTED, by, now)
    forget_declarations()
    return proposal


def dismiss_proposal(*, proposal: Proposal, by: User | None, now: datetime) -> Proposal:
    """Nobody is asked about the proposal any more."""
    with transaction.atomic():
        proposal = Proposal.objects.select_for_update().get(pk=proposal.pk)
        if proposal.state not in UNDECIDED:
            raise ValueError(f"Only what nobody has decided can be dismissed, this is: {proposal}")
        _decide(proposal, Proposal.State.DISMISSED, by, now)
    return proposal


def _locked_policy(proposal: Proposal) -> Policy:
    policies = Policy.objects.select_for_update()
    return policies.get_or_create(source=proposal.label.source)[0]


def _refuse_louder(proposal: Proposal) -> None:
    """What is proposed tells people less than what holds, or just as much."""
    policy = read_declarations().settings_of(proposal.label.source_id).policy
    for name, value in proposal.changes.items():
        current = float(getattr(policy, name)[0])
        if value > current if name == "pages_per_week" else value < current:
            raise ValueError(f"{name} is {current} by now, which is quieter than {value}.")


def _refuse_changed_since(proposal: Proposal, policy: Policy) -> None:
    for name, value in proposal.changes.items():
        if (current := getattr(policy, name)) != value:
            told = "its default" if current is None else current
            raise ValueError(f"{name} is {told} by now, not {value} as this proposal made it.")
    applied = Proposal.objects.filter(
        label__source=proposal.label.source,
        state=Proposal.State.APPLIED,
        decided__gt=proposal.decided,
    )
    if any(set(other.changes) & set(proposal.changes) for other in applied):
        raise ValueError("A proposal for the same was applied after this one: revert that first.")


def _write(policy: Policy, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(policy, name, value)
    try:
        policy.full_clean()
    except ValidationError as error:
        raise ValueError(" ".join(error.messages)) from None
    policy.save()


def _decide(proposal: Proposal, state: Proposal.State, by: User | None, now: datetime) -> None:
    proposal.state, proposal.decided = state, now
    proposal.decided_by = by
    proposal.save(update_fields=["state", "decided", "decided_by", "before"])
