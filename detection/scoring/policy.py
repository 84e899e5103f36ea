"""What the owner of a source asked for: how often to be paged, what to watch, from what size."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from detection.scoring.series import FAMILIES, Bools, Floats

DEFAULT_PAGES_PER_WEEK = 0.5
DEFAULT_WEIGHT_ML = 0.6
DEFAULT_WEIGHT_Z = 0.4
# Fewer than this many transactions out of place cannot be told from a customer's bad evening.
DEFAULT_MINIMUM_EXCESS = 4.0
DEFAULT_MINIMUM_RELATIVE_CHANGE = 0.15


@dataclass(frozen=True)
class Policy:
    """Per source settings, each an array with a leading axis of sources.

    Parameters
    ----------
    pages_per_week : array (S,)
        False-page budget [pages a week and source].
    weight_ml, weight_z : array (S,)
        Weights of the forest and of the z in the anomaly score; normalised when used.
    families_on : array (S, 7) of bool
        Which families may raise an alarm.
    minimum_excess : array (S,)
        Transactions out of place since the onset below which nothing is raised.
    minimum_relative_change : array (S,)
        Smallest change worth a message (0.15 = fifteen per cent).

    Examples
    --------
    >>> Policy.of([{"pages_per_week": 2.0, "families_off": ["volume_high"]}]).families_on.sum()
    np.int64(6)
    """

    pages_per_week: Floats
    weight_ml: Floats
    weight_z: Floats
    families_on: Bools
    minimum_excess: Floats
    minimum_relative_change: Floats

    @classmethod
    def defaults(cls, size: int) -> "Policy":
        """The settings of `size` sources of which nobody asked for anything."""
        return cls.of([{}] * size)

    @classmethod
    def of(cls, settings: Sequence[Mapping[str, Any]]) -> "Policy":
        """Read one mapping per source; what is left out or None has its default.

        `families_on` may be a sequence of seven booleans or of family names; `families_off` names
        the ones to leave out.
        """
        return cls(
            _column(settings, "pages_per_week", DEFAULT_PAGES_PER_WEEK),
            _column(settings, "weight_ml", DEFAULT_WEIGHT_ML),
            _column(settings, "weight_z", DEFAULT_WEIGHT_Z),
            np.array([_families(one) for one in settings], bool).reshape(-1, len(FAMILIES)),
            _column(settings, "minimum_excess", DEFAULT_MINIMUM_EXCESS),
            _column(settings, "minimum_relative_change", DEFAULT_MINIMUM_RELATIVE_CHANGE),
        )

    def take(self, rows: Any) -> "Policy":
        """The settings of some rows."""
        return Policy(
            self.pages_per_week[rows],
            self.weight_ml[rows],
            self.weight_z[rows],
            self.families_on[rows],
            self.minimum_excess[rows],
            self.minimum_relative_change[rows],
        )


def _column(settings: Sequence[Mapping[str, Any]], name: str, default: float) -> Floats:
    sent = [one.get(name) for one in settings]
    values = np.array([default if value is None else float(value) for value in sent])
    if not np.isfinite(values).all() or (values < 0).any():
        raise ValueError(f"{name} must be a number of at least 0")
    return values


def _families(one: Mapping[str, Any]) -> list[bool]:
    chosen = one.get("families_on", FAMILIES)
    off = one.get("families_off") or ()
    named = [*off, *(name for name in chosen if isinstance(name, str))]
    unknown = sorted({str(name) for name in named if name not in FAMILIES})
    if unknown:
        raise ValueError(f"unknown families: {', '.join(unknown)}")
    if len(chosen) == len(FAMILIES) and all(isinstance(on, (bool, np.bool_)) for on in chosen):
        return [bool(on) and name not in off for name, on in zip(FAMILIES, chosen, strict=True)]
    return [name in chosen and name not in off for name in FAMILIES]
