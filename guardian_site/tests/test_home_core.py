"""A web worker stays on one core, and leaves it to others that need it more."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from guardian_site.tests.processes import until
from guardian_site.web import home_core
from guardian_site.web.home_core import busy_seconds, quieter_core

CORES = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
needs_two_cores = pytest.mark.skipif(len(CORES) < 2, reason="one core: nothing to choose")
SETTLED = "from guardian_site.web import home_core; thread = home_core.settle(); "
TICKS = os.sysconf("SC_CLK_TCK")


def cores_of(process: int) -> list[set[int]]:
    """Where each thread of a process may run."""
    tasks = Path(f"/proc/{process}/task").iterdir()
    return [os.sched_getaffinity(int(task.name)) for task in tasks]


def home_of(process: int) -> set[int]:
    """Where a process may run, all its threads together."""
    return set.union(*cores_of(process))


def write_stat(path: Path, busy: Mapping[int, float]) -> None:
    """Write how long each core has worked [s], as /proc/stat does, in one piece."""
    lines = [f"cpu{core} {int(seconds * TICKS)} 0 0 0 0 0 0 0" for core, seconds in busy.items()]
    fresh = path.with_suffix(".new")
    fresh.write_text("\n".join(lines))
    fresh.replace(path)


def python(code: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", code])


@pytest.mark.parametrize(
    ("taken", "better"),
    [
        ({0: 0.0, 1: 0.0}, None),
        ({0: 0.5, 1: 0.3}, None),
        ({0: 0.6, 1: 0.3}, 1),
        ({0: 0.2, 1: 0.9}, None),
        ({0: 0.9, 1: 0.5, 2: 0.1}, 2),
    ],
)
def test_it_moves_only_where_clearly_less_is_going_on(
    taken: dict[int, float], better: int | None
) -> None:
    assert quieter_core(0, taken) == better


@needs_two_cores
def test_it_reads_how_long_each_core_worked() -> None:
    before = busy_seconds(CORES)
    ends = time.process_time() + 0.3
    while time.process_time() < ends:
        pass
    after = busy_seconds(CORES)
    assert set(after) == CORES
    assert sum(after.values()) - sum(before.values()) > 0.2


@needs_two_cores
def test_workers_of_one_server_stay_on_different_cores_with_all_their_threads() -> None:
    late = "import threading, time; threading.Thread(target=time.sleep, args=(60,)).start(); "
    workers = [python(SETTLED + late + "time.sleep(60)") for _ in range(2)]
    try:
        until(
            lambda: (
                [len(cores_of(worker.pid)) for worker in workers] == [3, 3]
                and [len(home_of(worker.pid)) for worker in workers] == [1, 1]
                and home_of(workers[0].pid) != home_of(workers[1].pid)
            )
        )
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


@needs_two_cores
def test_it_leaves_its_core_to_another_process(tmp_path: Path) -> None:
    # what the machine is said to do, for it may really be busy with other tests
    stat = tmp_path / "stat"
    write_stat(stat, dict.fromkeys(CORES, 0))
    told = f"from pathlib import Path; home_core._STAT = Path({str(stat)!r}); "
    worker = python(SETTLED.replace("thread", told + "thread", 1) + "thread.join()")
    try:
        until(lambda: len(home_of(worker.pid)) == 1)
        [first] = home_of(worker.pid)
        began = time.monotonic()

        def somebody_works_there() -> bool:
            busy = {core: time.monotonic() - began if core == first else 0.0 for core in CORES}
            write_stat(stat, busy)
            return {first} not in cores_of(worker.pid)

        until(somebody_works_there, 60)
    finally:
        worker.kill()
        worker.wait()


def test_where_nobody_can_tell_it_lets_the_system_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home_core, "_STAT", Path("/nowhere"))
    assert home_core.settle() is None
