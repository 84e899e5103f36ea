"""What the benchmark commands count."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from detection.bench import nab, over_http, quiet_months


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
        harness=(base, SimpleNamespace(run_stream=run_stream)),
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
        harness=(SimpleNamespace(), SimpleNamespace(run_stream=run_stream)),
    )
    assert [stream.name for stream in found.streams] == ["shop"]
    assert found.broken == ["slow: timed out"]


def test_every_budget_is_simulated_for_every_source() -> None:
    assert quiet_months.simulate(sources=2, days=1, seed=3, warm_days=0).shape == (3, 2)


def test_a_budget_overspent_twice_over_is_said() -> None:
    _, kept = quiet_months.report(np.array([[0.0], [0.0], [3.0]]), days=30)
    assert not kept


def test_a_foreign_file_is_read_by_the_minute(tmp_path: Path) -> None:
    (tmp_path / "labels").mkdir()
    (tmp_path / "data" / nab.FOLDER).mkdir(parents=True)
    windows = {f"{nab.FOLDER}/taxi.csv": [["2014-07-01 00:05:00", "2014-07-01 00:09:00"]]}
    (tmp_path / "labels" / "combined_windows.json").write_text(json.dumps(windows))
    text = "timestamp,value\n2014-07-01 00:00:00,10\n2014-07-01 00:05:00,20\n"
    text += "2014-07-01 00:10:00,10\n"
    (tmp_path / "data" / nab.FOLDER / "taxi.csv").write_text(text)
    [series] = nab.read(tmp_path)
    assert series.volume.tolist() == [100] * 5 + [200] * 5 + [100]
    assert series.windows == [(5, 9)]
    assert nab.row(series, np.array([0] * 6 + [1] * 4 + [0], np.int8)) == (
        "| taxi | 1 | 1 | 0 | 0.00 |"
    )


def test_foreign_data_that_are_not_there_are_said_to_be_skipped(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NAB_DIR", raising=False)
    monkeypatch.setattr("sys.argv", ["nab"])
    nab.main()
    assert "SKIPPED: NAB" in capsys.readouterr().out
