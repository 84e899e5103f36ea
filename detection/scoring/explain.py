"""A judgement in payment language: what, whose, how much, and what to do first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from detection.scoring import designs, reasons
from detection.scoring.code_mix import g_tail
from detection.scoring.series import (
    FAMILIES,
    FIRST_CODE,
    LEVELS,
    RATE_SERIES,
    RATES,
    STATUSES,
)
from detection.scoring.tails import rule_of_three

if TYPE_CHECKING:
    from detection.scoring.minutes import Counts
    from detection.scoring.scores import Scores
    from detection.scoring.state import State

# Owner and first action by family; the action is a key, its wording belongs to the messages.
OWNERS = {
    "decline": ("issuer or fraud control", "check_decline_codes"),
    "technical_failure": ("us", "check_backend_errors"),
    "reversal": ("us", "check_reversals"),
    "volume_low": ("traffic", "check_acquirer_connection"),
    "volume_high": ("traffic", "check_campaigns_and_retries"),
    "silence": ("the source's reporting", "check_reporter"),
    "code_mix": ("fraud control", "check_decline_codes"),
}
# Who usually owns a surge of a response code (ISO 8583).
OWNERS_OF_CODES = {
    "05": "issuer",
    "14": "customer or card testing",
    "51": "customer",
    "54": "customer",
    "57": "issuer",
    "59": "fraud control",
    "61": "customer",
    "63": "fraud control",
    "91": "issuer or network",
    "96": "network or us",
}
RULES = {
    "decline": "DENIED_RATE",
    "technical_failure": "FAILURE_RATE",
    "reversal": "REVERSAL_RATE",
    "volume_low": "VOLUME_LOW",
    "volume_high": "VOLUME_HIGH",
    "silence": "SILENCE",
    "code_mix": "CODE_MIX",
}
# The series of all denials, and the tests that remember how they fell on their codes.
DENIALS = tuple(RATE_SERIES.index(name) for name in ("not_approved", "denied"))
MIX_TESTS = np.array(
    [
        next(i for i, one in enumerate(designs.DESIGNS) if one.channel == designs.FIRST_RATE + slot)
        for slot in range(FIRST_CODE, RATES)
    ]
)
# Fewer denials say nothing of their mix; a mix rarer than the one chance is another, more common
# than the other it is the usual one; between them nothing is said.
ENOUGH_DENIED = 20.0
UNUSUAL_MIX, USUAL_MIX = 1e-4, 0.05
# So many transactions without one of a kind are worth telling; memory fades, so less than one is 0.
ENOUGH_BEFORE = 300.0
NONE = 0.5
# What the codes without a place of their own are called together.
OTHER = "other"


@dataclass(frozen=True)
class Subject:
    """Which codes a reason is about: the one it names, and those that moved its way, 0..1 each.

    `broad`: it is about all that was not approved, and not about denials alone.
    """

    code: str
    codes: list[tuple[str, float]]
    falls: bool
    broad: bool


@dataclass(frozen=True)
class Explanation:
    """Why a level was given; shares are parts of the excess, 0..1.

    `subjects` stand beside `reasons`, one for each.
    """

    family: str | None
    level: str
    reasons: list[str]
    rules: list[str]
    owner: str | None
    first_action: str | None
    codes: list[tuple[str, float]]
    statuses: list[tuple[str, float]]
    subjects: list[Subject]


def explain(
    state: State, scores: Scores, counts: Counts, row: int, minute: int | None = None
) -> Explanation:
    """Explain the judgement of one source.

    Parameters
    ----------
    state, scores, counts : what was judged, and how
    row : int, the source
    minute : int, the minute that was judged; None for the one after the last learned

    Returns
    -------
    Explanation
        `family` is None when nothing is wrong; then there are no reasons.
    """
    level = LEVELS[int(scores.level[row])]
    active = [int(i) for i in np.flatnonzero(scores.family_level[row] > 0)]
    if not active:
        return Explanation(None, level, [], [], None, None, [], [], [])
    active.sort(key=lambda i: (-scores.family_level[row, i], -scores.evidence[row, i]))
    judged = int(state.through[row]) + 1 if minute is None else minute
    told, rules, subjects = [], [], []
    for family in active:
        name = FAMILIES[family]
        test = int(scores.best_test[row, family])
        since = int(scores.running.onset[row, test])
        # where nothing adds up, the minute alone said enough
        said, place = (scores.running, test) if since >= 0 else (scores.channels, _channel(test))
        seen, meant = float(said.seen[row, place]), float(said.meant[row, place])
        minutes = max(judged - since + 1, 1) if since >= 0 else 1
        aside = _never_seen(state, test, row, seen) or _mix(scores, test, row)
        facts = {"seen": seen, "expected": meant, "minutes": minutes, "aside": aside}
        told.append(_sentence(state, name, test, row, facts))
        rules.append(f"{RULES[name]}: {seen:.0f} seen, {meant:.0f} expected")
        subjects.append(_subject_of(state, scores, test, row))
    first, worst = subjects[0], FAMILIES[active[0]]
    owner, action = OWNERS[worst]
    if worst in ("decline", "code_mix") and not first.falls:
        owner = OWNERS_OF_CODES.get(first.code, owner)
    statuses = _status_shares(scores, counts, row)
    return Explanation(worst, level, told, rules, owner, action, first.codes, statuses, subjects)


def _subject_of(state: State, scores: Scores, test: int, row: int) -> Subject:
    """Say which codes a test is about: of a code's own test that one, else those that moved."""
    falls = bool(designs.FALLS[test])
    codes = _code_shares(state, scores, row, falls=falls)
    slot = _channel(test) - designs.FIRST_RATE - FIRST_CODE
    moved = codes[0][0] if codes else ""
    code = [*state.codes[row].tolist(), OTHER][slot] if slot >= 0 else moved
    broad = designs.CHANNELS[_channel(test)] == "not_approved"
    return Subject("" if code == OTHER else code, codes, falls, broad)


def _sentence(state: State, family: str, test: int, row: int, facts: dict[str, Any]) -> str:
    if family == "silence":
        return reasons.NOTHING_REPORTED.say(**facts)
    if family in ("volume_low", "volume_high"):
        change = 100 * (facts["seen"] / max(facts["expected"], 1e-9) - 1)
        return reasons.VOLUME.say(change=change, **facts)
    return reasons.SHARE.say(subject=_subject(state, test, row), **facts)


def _never_seen(state: State, test: int, row: int, since_onset: float) -> str:
    """What it says that there was nothing of the kind before the onset."""
    series = _channel(test) - designs.FIRST_RATE
    if series < 0:
        return ""
    before = float(state.share_total[row, series])
    if before < ENOUGH_BEFORE or state.share_seen[row, series] - since_onset >= NONE:
        return ""
    usual = 1 / float(rule_of_three(np.array(before)))
    return reasons.NEVER_SEEN.say(before=before, usual=usual)


def _mix(scores: Scores, test: int, row: int) -> str:
    """Whether the denials of the last twenty minutes fall on their codes as they always did.

    If they do, the cause lies before any code: with the traffic, or with whoever denies it all.
    """
    series = _channel(test) - designs.FIRST_RATE
    if series not in DENIALS:
        return ""
    seen = scores.running.shift_seen[row, MIX_TESTS]
    if seen.sum() < ENOUGH_DENIED:
        return ""
    share = scores.channels.share[row, FIRST_CODE:]
    scatter = float(scores.channels.width.scatter[row, designs.FIRST_RATE + DENIALS[-1]])
    chance = float(g_tail(seen[None], share[None], scatter)[0])
    if chance < UNUSUAL_MIX:
        return reasons.OTHER_MIX.say()
    return reasons.USUAL_MIX.say() if chance > USUAL_MIX else ""


def _channel(test: int) -> int:
    return int(designs.CHANNEL[test])


def _subject(state: State, test: int, row: int) -> str:
    series = designs.CHANNELS[_channel(test)]
    if series in reasons.LABELS:
        return reasons.LABELS[series].say()
    slot = int(series.removeprefix("code_"))
    name = str(state.codes[row, slot]) if slot < state.codes.shape[1] else ""
    if not name:
        return reasons.RARE_CODES.say()
    if name in reasons.MEANINGS:
        return reasons.KNOWN_CODE.say(code=name, meaning=reasons.MEANINGS[name].say())
    return reasons.OTHER_CODE.say(code=name)


def _code_shares(state: State, scores: Scores, row: int, *, falls: bool) -> list[tuple[str, float]]:
    """Return which part of the excess each code has; where codes fall, of what is missing."""
    first = designs.FIRST_RATE + FIRST_CODE
    excess = scores.channels.seen[row, first:] - scores.channels.meant[row, first:]
    names = [*state.codes[row].tolist(), OTHER]
    return _positive_parts(names, (-excess if falls else excess).tolist())


def _status_shares(scores: Scores, counts: Counts, row: int) -> list[tuple[str, float]]:
    excess = np.abs(counts.status[row] - scores.expected[row])
    return _positive_parts(list(STATUSES), excess.tolist())


def _positive_parts(names: list[str], excess: list[float]) -> list[tuple[str, float]]:
    found = [(name, value) for name, value in zip(names, excess, strict=True) if value > 0]
    whole = sum(value for _, value in found)
    return sorted(((name, value / whole) for name, value in found if name), key=lambda p: -p[1])
