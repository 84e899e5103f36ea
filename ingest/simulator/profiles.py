"""What the traffic of a source looks like when nothing is wrong."""

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# The cells that are counted: (status, auth code).
CELLS: tuple[tuple[str, str], ...] = (
    ("approved", "00"),
    ("denied", "51"),
    ("denied", "59"),
    ("denied", "05"),
    ("denied", "14"),
    ("failed", "91"),
    ("failed", "96"),
    ("reversed", "00"),
    ("backend_reversed", "00"),
    ("refunded", "00"),
)
# Share of each cell on an ordinary day; near the shares of a card acquirer.
_SHARES = (0.9280, 0.0220, 0.0170, 0.0105, 0.0055, 0.0003, 0.0002, 0.0080, 0.0003, 0.0082)
# Monday first: business rises to Friday and rests on Sunday.
_WEEK = (0.96, 0.97, 0.99, 1.02, 1.12, 1.08, 0.86)


@dataclass(frozen=True)
class Profile:
    """One source: how much, when, and how restless."""

    name: str
    rate: float  # transactions a minute, mean over the week
    night: float = 0.25  # what is left of the rate at the quietest hour
    utc_offset_hours: int = -3
    dispersion: float = 1.3  # variance over mean of the counts of a minute; 1 is Poisson
    drift: float = 0.06  # size of the slow wandering of the level, as a fraction
    shares: tuple[float, ...] = field(default=_SHARES)

    def with_rate(self, rate: float) -> "Profile":
        """Return the same source with another volume."""
        return replace(self, rate=rate)


PROFILES: tuple[Profile, ...] = (
    Profile("acquirer-a", rate=240.0, dispersion=1.4),
    Profile("ecommerce", rate=70.0, night=0.4, dispersion=1.6, drift=0.08),
    Profile("pos-south", rate=14.0, night=0.12, dispersion=1.2),
)


def cell_places(status: str, code: str | None = None) -> list[int]:
    """Return where the cells of a status (and code) stand in CELLS."""
    return [
        place
        for place, (cell_status, cell_code) in enumerate(CELLS)
        if cell_status == status and code in (None, cell_code)
    ]


def expected_volume(profile: Profile, minutes: npt.NDArray[np.int64]) -> Floats:
    """Return the expected transactions of each minute.

    Parameters
    ----------
    profile : Profile
        The source.
    minutes : int64 array, shape (n,)
        Minutes since 1970-01-01 00:00 UTC.

    Returns
    -------
    float64 array, shape (n,)
        Expected count [transactions per minute], > 0.

    Examples
    --------
    >>> week = np.arange(7 * 1440, dtype=np.int64)
    >>> bool(abs(expected_volume(PROFILES[0], week).mean() / PROFILES[0].rate - 1) < 0.01)
    True
    """
    local = minutes + 60 * profile.utc_offset_hours
    hour = (local % 1440) / 60.0
    # 1970-01-01 was a Thursday.
    weekday = (local // 1440 + 3) % 7
    noon, evening = _bump(hour, 12.5, 3.6), _bump(hour, 19.5, 2.6)
    shape = profile.night + (1 - profile.night) * (0.85 * noon + 0.75 * evening)
    return profile.rate * np.asarray(_WEEK)[weekday] * shape / _mean_shape(profile)


def _bump(hour: Floats, centre: float, width: float) -> Floats:
    away = np.abs(hour - centre)
    away = np.minimum(away, 24.0 - away)
    return np.exp(-0.5 * (away / width) ** 2)


def _mean_shape(profile: Profile) -> float:
    hour = np.arange(1440) / 60.0
    day = profile.night + (1 - profile.night) * (
        0.85 * _bump(hour, 12.5, 3.6) + 0.75 * _bump(hour, 19.5, 2.6)
    )
    return float(day.mean()) * float(np.mean(_WEEK))
