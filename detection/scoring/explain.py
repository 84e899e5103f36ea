"""A judgement in payment language: what, whose, how much, and what to do first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from detection.scoring import designs
from detection.scoring.series import FAMILIES, LEVELS, STATUSES

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
# ISO 8583 response codes: what the analyst calls them and who usually owns a surge of them.
CODES = {
    "05": ("do not honour", "issuer"),
    "14": ("invalid card number", "customer or card testing"),
    "51": ("insufficient funds", "customer"),
    "54": ("expired card", "customer"),
    "57": ("not permitted to cardholder", "issuer"),
    "59": ("suspected fraud", "fraud control"),
    "61": ("over the limit", "customer"),
    "63": ("security violation", "fraud control"),
    "91": ("issuer unavailable", "issuer or network"),
    "96": ("system malfunction", "network or us"),
}
LABELS = {
    "not_approved": "transactions not approved",
    "denied": "denials",
    "failed": "failures",
    "reversed": "reversals",
    "backend_reversed": "backend reversals",
    "refunded": "refunds",
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


@dataclass(frozen=True)
class Explanation:
    """Why a level was given; shares are parts of the excess, 0..1."""

    family: str | None
    level: str
    reasons: list[str]
    rules: list[str]
    owner: str | None
    first_action: str | None
    codes: list[tuple[str, float]]
    statuses: list[tuple[str, float]]


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
        return Explanation(None, level, [], [], None, None, [], [])
    active.sort(key=lambda i: (-scores.family_level[row, i], -scores.evidence[row, i]))
    judged = int(state.through[row]) + 1 if minute is None else minute
    reasons, rules = [], []
    for family in active:
        name = FAMILIES[family]
        test = int(scores.best_test[row, family])
        since = int(scores.running.onset[row, test])
        # where nothing adds up, the minute alone said enough
        said, place = (scores.running, test) if since >= 0 else (scores.channels, _channel(test))
        seen, meant = float(said.seen[row, place]), float(said.meant[row, place])
        minutes = max(judged - since + 1, 1) if since >= 0 else 1
        reasons.append(_sentence(state, name, test, seen, meant, minutes, row))
        rules.append(f"{RULES[name]}: {seen:.0f} seen, {meant:.0f} expected")
    codes = _code_shares(state, scores, row)
    owner, action = OWNERS[FAMILIES[active[0]]]
    if FAMILIES[active[0]] in ("decline", "code_mix") and codes:
        owner = CODES.get(codes[0][0], ("", owner))[1]
    statuses = _status_shares(scores, counts, row)
    return Explanation(FAMILIES[active[0]], level, reasons, rules, owner, action, codes, statuses)


def _sentence(
    state: State, family: str, test: int, seen: float, meant: float, minutes: int, row: int
) -> str:
    within = f"in {minutes} min"
    if family == "silence":
        return f"Nothing reported for {minutes} min; about {meant:.0f} transactions were expected."
    if family in ("volume_low", "volume_high"):
        change = 100 * (seen / max(meant, 1e-9) - 1)
        return f"{seen:.0f} transactions {within}, {meant:.0f} expected ({change:+.0f} %)."
    return f"{seen:.0f} {_subject(state, test, row)} {within}, {meant:.0f} expected."


def _channel(test: int) -> int:
    return int(designs.CHANNEL[test])


def _subject(state: State, test: int, row: int) -> str:
    series = designs.CHANNELS[_channel(test)]
    if series in LABELS:
        return LABELS[series]
    slot = int(series.removeprefix("code_"))
    name = state.codes[row, slot] if slot < state.codes.shape[1] else ""
    if not name:
        return "denials with rare codes"
    meaning = CODES.get(str(name), ("", ""))[0]
    return f"denials with code {name}" + (f" ({meaning})" if meaning else "")


def _code_shares(state: State, scores: Scores, row: int) -> list[tuple[str, float]]:
    first = designs.FIRST_RATE + 6
    excess = scores.channels.seen[row, first:] - scores.channels.meant[row, first:]
    names = [*state.codes[row].tolist(), "other"]
    return _positive_parts(names, excess.tolist())


def _status_shares(scores: Scores, counts: Counts, row: int) -> list[tuple[str, float]]:
    excess = np.abs(counts.status[row] - scores.expected[row])
    return _positive_parts(list(STATUSES), excess.tolist())


def _positive_parts(names: list[str], excess: list[float]) -> list[tuple[str, float]]:
    found = [(name, value) for name, value in zip(names, excess, strict=True) if value > 0]
    whole = sum(value for _, value in found)
    return sorted(((name, value / whole) for name, value in found if name), key=lambda p: -p[1])
