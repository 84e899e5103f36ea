"""One simulation: which sources, from when, with which incidents."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from ingest.simulator.profiles import PROFILES, Profile
from ingest.simulator.scenarios import KINDS, Scenario
from ingest.simulator.traffic import Traffic, simulate_minutes

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def minute_number(moment: datetime) -> int:
    """Return the minute of a time [minutes since 1970-01-01 00:00 UTC]."""
    return int((moment - EPOCH) // timedelta(minutes=1))


def minute_start(minute: int) -> datetime:
    """Return when a minute begins."""
    return EPOCH + timedelta(minutes=minute)


def chosen_profiles(count: int, rate: float | None, seed: int) -> list[Profile]:
    """Return `count` profiles: the named ones first, then some of random size."""
    random = np.random.default_rng((seed, count))
    profiles = list(PROFILES[:count])
    for number in range(len(PROFILES), count):
        size = float(np.exp(random.uniform(np.log(2.0), np.log(300.0))))
        profiles.append(Profile(f"source-{number + 1}", rate=size))
    if rate is not None:
        scale = rate / profiles[0].rate
        profiles = [profile.with_rate(profile.rate * scale) for profile in profiles]
    return profiles


@dataclass(frozen=True)
class Plan:
    """What is simulated; `first` is a minute since 1970, and so are the starts of incidents."""

    profiles: Sequence[Profile]
    first: int
    seed: int
    incidents: Sequence[Scenario] = ()
    # Name of the source the incidents happen to.
    victim: str = ""

    def with_incidents(self, scenarios: Sequence[Scenario], origin: int, end: int) -> "Plan":
        """Return the plan with scenarios counted from `origin`, or back from `end`."""
        placed = [
            replace(one, start=one.start + (end if one.start < 0 else origin)) for one in scenarios
        ]
        return replace(self, incidents=placed)

    def traffic(self, profile: Profile, first: int, count: int) -> Traffic:
        """Return the traffic of one source, with its incidents."""
        incidents = self.incidents if profile.name == self.victim else ()
        return simulate_minutes(profile, first, count, self.seed, incidents)

    def truth(self) -> list[dict[str, object]]:
        """Return what was put in: what a detector should find, and nothing else."""
        return [
            {
                "source": self.victim,
                "scenario": one.name,
                "family": KINDS[one.name].family,
                "start": minute_start(one.start).isoformat(),
                "end": minute_start(one.start + one.length).isoformat(),
                "strength": one.strength,
            }
            for one in self.incidents
        ]
