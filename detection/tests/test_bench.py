"""What the benchmark commands count."""

from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import numpy as np

from detection.bench import over_http, quiet_months


@dataclass(frozen=True)
class Stream:
    """As much of a stream of the harness as the bench reads."""

    name: str = "shop"
    t0: datetime = datetime(2025, 1, 6)  # noqa: DTZ001 the harness has no zones
    X: Any = field(default_factory=lambda: np.ones((10, 300), int))
    emit_zeros: bool = True
    eval_from: int = 280


def test_levels_other_than_in_process_are_counted() -> None:
    told = np.zeros((300, 1), np.int8)
    told[[10, 290], 0] = 1

    def run_stream(client: Any, stream: Stream) -> tuple[Any, Any]:
        assert client(stream.name).startswith("plain-1-shop ")
        return told[:, 0], told[:, 0].astype(float)

    base = SimpleNamespace(HttpDetector=lambda name, url, **rest: f"{name} {url} {rest}")
    found = over_http.ask(
        [Stream()],
        "http://there",
        prefix="plain-1",
        ticks=True,
        clients=1,
        harness=(base, SimpleNamespace(run_stream=run_stream)),
    )
    # the first minutes are history: nobody was asked about them
    assert (found.differing, found.compared) == (1, 260)


def test_every_budget_is_simulated_for_every_source() -> None:
    assert quiet_months.simulate(sources=2, days=1, seed=3, warm_days=0).shape == (3, 2)


def test_a_budget_overspent_twice_over_is_said() -> None:
    _, kept = quiet_months.report(np.array([[0.0], [0.0], [3.0]]), days=30)
    assert not kept
