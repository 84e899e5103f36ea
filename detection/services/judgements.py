"""From judged minutes to the rows that are kept of them."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from detection.clock import moment_of
from detection.models import Anomaly, Band
from detection.scoring.detector import Scores
from detection.scoring.series import CODE_LENGTH, LEVELS, STATUSES
from detection.selectors.counts import digest
from detection.services.findings import Finding, merge
from detection.services.lockstep import Judged


def bands_of(judged: Judged) -> list[Band]:
    """One Band for each source of a judged minute."""
    scores = judged.scores
    totals = judged.counts.status.sum(1).tolist()
    reported = judged.counts.reported.tolist()
    level = worst_levels(judged)
    # while learning, nothing is known of how unusual the minute is
    score = np.round(np.where(scores.learning, 0.0, scores.told_score), 4).tolist()
    learning = scores.learning.tolist()
    by_status = np.round(np.stack([scores.expected, scores.lower, scores.upper], 2), 2).tolist()
    whole = np.round(
        np.stack([scores.total_expected, scores.total_lower, scores.total_upper], 1), 3
    ).tolist()
    return [
        Band(
            source_id=source_id,
            minute=moment_of(judged.minutes[row]),
            level=LEVELS[level[row]],
            score=score[row],
            learning=learning[row],
            total=int(totals[row]) if reported[row] else None,
            expected=whole[row][0],
            lower=whole[row][1],
            upper=whole[row][2],
            by_status=dict(zip(STATUSES, by_status[row], strict=True)),
            digest=digest(judged.rows[row]),
        )
        for row, source_id in enumerate(judged.source_ids)
    ]


def worst_levels(judged: Judged) -> list[int]:
    """The level of each source: the worst of what the tests and the rules found."""
    levels = [0] * len(judged.source_ids)
    for row, found in judged.findings.items():
        levels[row] = max(one.level for one in found)
    return levels


def anomalies_of(
    judged: Judged,
    *,
    now: datetime,
    past_before: int,
    provisional: Sequence[bool] | None = None,
) -> list[Anomaly]:
    """One Anomaly for each family that is not normal in a judged minute."""
    return [
        _anomaly(
            judged,
            row,
            one,
            now,
            judged.minutes[row] < past_before,
            provisional is not None and provisional[row],
        )
        for row, found in judged.findings.items()
        for one in merge(found).values()
    ]


def _anomaly(
    judged: Judged, row: int, one: Finding, now: datetime, past: bool, provisional: bool
) -> Anomaly:
    scores = judged.scores
    status_band = band_for(scores, row, one.status)
    expected, lower, upper = map(known, one.band) if one.band else status_band
    return Anomaly(
        source_id=judged.source_ids[row],
        minute=moment_of(judged.minutes[row]),
        family=one.family,
        level=LEVELS[one.level],
        score=float(scores.told_score[row]),
        z_score=known(scores.z[row]),
        ml_score=known(scores.ml_score[row]),
        status=one.status,
        auth_code=one.auth_code,
        count=count_of(judged.rows[row], one.status, one.auth_code),
        expected=expected,
        lower=lower,
        upper=upper,
        onset=moment_of(one.onset) if one.onset >= 0 else None,
        excess=one.excess,
        excess_low=one.excess_low,
        excess_high=one.excess_high,
        violations=one.violations,
        reasons=one.reasons,
        contributions=one.contributions,
        owner=one.owner[:40],
        recommendation=one.recommendation[:300],
        past=past,
        provisional=provisional,
        detected=now,
    )


def band_for(
    scores: Scores, row: int, status: str
) -> tuple[float | None, float | None, float | None]:
    """Expected count of a status and its band; of the whole minute where there is no status."""
    if status in STATUSES:
        column = STATUSES.index(status)
        values = (scores.expected, scores.lower, scores.upper)
        return tuple(known(one[row, column]) for one in values)  # type: ignore[return-value]
    whole = (scores.total_expected, scores.total_lower, scores.total_upper)
    return tuple(known(one[row]) for one in whole)  # type: ignore[return-value]


def known(value: float) -> float | None:
    """The number, or None where scoring says NaN: unknown."""
    number = float(value)
    return None if number != number else round(number, 4)


def count_of(rows: Sequence[tuple[str, str, int]] | None, status: str, auth_code: str) -> int:
    """Transactions of a status, and of one code where it is named, in one minute."""
    return sum(
        count
        for name, code, count in rows or ()
        if (not status or name == status) and (not auth_code or code[:CODE_LENGTH] == auth_code)
    )
