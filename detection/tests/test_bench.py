"""What the benchmark commands count."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from detection.bench import nab, quiet_months
from detection.bench.onsets import Onsets


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


def alarm(onset: int) -> Any:
    """A minute of one source in which the second of two families warns, since the onset."""
    return SimpleNamespace(
        level=np.array([1]),
        family_level=np.array([[0, 1]]),
        evidence=np.array([[2.0, 1.0]]),
        onset_utc_minute=np.array([[-1, onset]]),
    )


def test_the_onset_of_the_first_alarm_of_each_incident_counts() -> None:
    incidents = [SimpleNamespace(start=start, end=start + 9) for start in (100, 200, 300, 400)]
    onsets, day = Onsets([SimpleNamespace(incidents=incidents)]), 28_000_000
    for minute, told in ((105, 102), (106, 90), (205, 190), (305, 305), (411, 401), (450, 450)):
        learned: Any = SimpleNamespace(through=np.array([day + minute]))
        onsets(minute, learned, alarm(day + told))
    assert onsets.table().splitlines()[-1] == "| 4 | 2 | 1 | 1 | 8 |"
