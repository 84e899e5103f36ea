"""Incidents that can be put into simulated traffic, and what a detector should call them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ingest.simulator.profiles import Floats, cell_places


@dataclass(frozen=True)
class Scenario:
    """One incident: which, from which minute, for how many, how strong (0 to 1 and above)."""

    name: str
    start: int  # minutes from the start of the simulation, or from now if negative
    length: int
    strength: float = 1.0

    def __str__(self) -> str:
        """Write it as `read_scenario` reads it."""
        return f"{self.name}@{self.start}+{self.length}*{self.strength:f}"


Change = Callable[[Floats, float], Floats]


def _outage(cells: Floats, strength: float) -> Floats:
    return cells * max(0.0, 1.0 - strength)


def _partial_outage(cells: Floats, strength: float) -> Floats:
    return cells * (1.0 - 0.6 * min(strength, 1.5))


def _denial_surge(cells: Floats, strength: float) -> Floats:
    """Five times the denials, no funds above all; approvals fall by what is denied more."""
    changed = cells.copy()
    more = 4.0 * strength * cells[:, cell_places("denied")].sum(axis=1)
    changed[:, cell_places("denied", "51")[0]] += 0.8 * more
    changed[:, cell_places("denied", "05")[0]] += 0.2 * more
    return _less_approved(changed, more)


def _failed_burst(cells: Floats, strength: float) -> Floats:
    """The issuer or a processor does not answer: codes 91 and 96, some money taken back."""
    changed = cells.copy()
    volume = cells.sum(axis=1)
    for status, code, share in (
        ("failed", "91", 0.05),
        ("failed", "96", 0.02),
        ("backend_reversed", "00", 0.04),
    ):
        changed[:, cell_places(status, code)[0]] += share * strength * volume
    return _less_approved(changed, 0.11 * strength * volume)


def _reversal_surge(cells: Floats, strength: float) -> Floats:
    changed = cells.copy()
    volume = cells.sum(axis=1)
    changed[:, cell_places("backend_reversed")[0]] += 0.06 * strength * volume
    changed[:, cell_places("reversed")[0]] += 0.03 * strength * volume
    return _less_approved(changed, 0.09 * strength * volume)


def _spike(cells: Floats, strength: float) -> Floats:
    return cells * (1.0 + 2.0 * strength)


def _code_shift(cells: Floats, strength: float) -> Floats:
    """Code 59 turns into 51: the sum of the denials stays what it was."""
    changed = cells.copy()
    fraud, funds = cell_places("denied", "59")[0], cell_places("denied", "51")[0]
    moved = min(strength, 1.0) * cells[:, fraud]
    changed[:, fraud] -= moved
    changed[:, funds] += moved
    return changed


def _less_approved(cells: Floats, less: Floats) -> Floats:
    approved = cell_places("approved")[0]
    cells[:, approved] = np.maximum(0.0, cells[:, approved] - less)
    return cells


def _silence(cells: Floats, strength: float) -> Floats:
    """Not a count of nothing: the source does not report at all (see Traffic.reported)."""
    return cells


@dataclass(frozen=True)
class Kind:
    """How a scenario changes the traffic, what family it belongs to, how long it usually lasts."""

    change: Change
    family: str
    length: int


KINDS: dict[str, Kind] = {
    "outage": Kind(_outage, "volume_low", 15),
    "partial_outage": Kind(_partial_outage, "volume_low", 30),
    "denial_surge": Kind(_denial_surge, "decline", 20),
    "failed_burst": Kind(_failed_burst, "technical_failure", 20),
    "reversal_surge": Kind(_reversal_surge, "reversal", 30),
    "spike": Kind(_spike, "volume_high", 15),
    "code_shift": Kind(_code_shift, "code_mix", 60),
    "silence": Kind(_silence, "silence", 15),
}
_TEXT = re.compile(
    r"(?P<name>[a-z_]+)(?:@(?P<start>-?\d+))?(?:\+(?P<length>\d+))?(?:\*(?P<strength>\d+(?:\.\d+)?))?"
)


def read_scenario(text: str, default_start: int = 0) -> Scenario:
    """Return the scenario written NAME[@START][+LENGTH][*STRENGTH], in minutes.

    Raises
    ------
    ValueError
        If there is no such scenario; the message lists those there are.

    Examples
    --------
    >>> read_scenario("denial_surge@90+20*0.5")
    Scenario(name='denial_surge', start=90, length=20, strength=0.5)
    """
    found = _TEXT.fullmatch(text)
    if found is None or found["name"] not in KINDS:
        raise ValueError(
            f"{text}: write NAME[@START][+LENGTH][*STRENGTH] with one of {', '.join(KINDS)}"
        )
    return Scenario(
        found["name"],
        int(found["start"] or default_start),
        int(found["length"] or KINDS[found["name"]].length),
        float(found["strength"] or 1.0),
    )


def applied(cells: Floats, first: int, scenarios: Sequence[Scenario]) -> Floats:
    """Return expected counts with the scenarios put in; `first` is the minute of the first row."""
    changed = cells
    for scenario in scenarios:
        since = max(0, scenario.start - first)
        until = max(0, scenario.start + scenario.length - first)
        if since >= until or since >= len(cells):
            continue
        part = KINDS[scenario.name].change(changed[since:until], scenario.strength)
        changed = np.concatenate((changed[:since], part, changed[until:]))
    return changed
