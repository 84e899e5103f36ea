from dataclasses import dataclass, field
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import numpy as np

from deploy.bench import over_http


@dataclass(frozen=True)
class Stream:
    """As much of a stream of the harness as the bench reads."""

    name: str = "shop"
    t0: datetime = datetime(2025, 1, 6)  # noqa: DTZ001 the harness has no zones
    X: Any = field(default_factory=lambda: np.ones((10, 300), int))
    emit_zeros: bool = True
    eval_from: int = 280

    def ts(self, minute: int) -> str:
        return f"minute {minute}"


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
        doors=(base, SimpleNamespace(run_stream=run_stream)),
    )
    # the first minutes are history: nobody was asked about them
    assert found.differing == ["shop minute 290: 1 told, 0 in process"]
    assert found.compared == 260


def test_a_stream_that_is_not_answered_is_named_and_the_others_are_reported() -> None:
    def run_stream(client: Any, stream: Stream) -> tuple[Any, Any]:
        if stream.name == "p-slow":
            raise TimeoutError("timed out")
        return np.zeros(300, np.int8), np.zeros(300)

    found = over_http.ask(
        [Stream(), Stream("slow")],
        "http://there",
        prefix="p",
        ticks=False,
        clients=2,
        doors=(SimpleNamespace(), SimpleNamespace(run_stream=run_stream)),
    )
    assert [stream.name for stream in found.streams] == ["shop"]
    assert found.broken == ["slow: timed out"]
