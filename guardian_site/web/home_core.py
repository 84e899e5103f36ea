"""A web worker stays on one processor core, and moves when others need that core more.

Only one thread of a Python process runs at a time. Left alone, Linux wakes each of its threads on
whichever core is idle: they hand the interpreter from core to core, and each finds its data in
another core's cache (what that costs: deploy/docs/load.md). A worker that never moved would be in
the way of others on its core, so it looks for a quieter one every second.
"""

import logging
import os
import platform
import secrets
import threading
import time
import zlib
from collections.abc import Collection, Mapping
from pathlib import Path

LOOK_EVERY_SECONDS = 1.0
# A worker moves when others use this much more of its core than of another [share of a core].
MARGIN = 0.25
_STAT = Path("/proc/stat")
_TASKS = Path("/proc/self/task")
_TICKS = os.sysconf("SC_CLK_TCK")
logger = logging.getLogger(__name__)


def quieter_core(home: int, taken: Mapping[int, float]) -> int | None:
    """Return the core that is clearly less used by others than `home`; None if there is none.

    Parameters
    ----------
    taken : mapping of int to float
        Core -> how much of it everybody else used lately [0 to 1].

    Examples
    --------
    >>> quieter_core(0, {0: 0.9, 1: 0.2})
    1
    >>> quieter_core(0, {0: 0.3, 1: 0.2}) is None
    True
    """
    best = min(taken, key=lambda core: taken[core])
    return best if taken[home] - taken[best] > MARGIN else None


def busy_seconds(cores: Collection[int]) -> dict[int, float]:
    """Return how long each core has worked since the machine started [s]."""
    busy = {}
    for line in _STAT.read_text().splitlines():
        name, *ticks = line.split()
        if name.startswith("cpu") and name[3:].isdigit() and int(name[3:]) in cores:
            user, nice, system, _idle, _waiting, *interrupts = map(int, ticks[:8])
            busy[int(name[3:])] = (user + nice + system + sum(interrupts)) / _TICKS
    return busy


def _first_core(cores: Collection[int]) -> int:
    """Return a core that no other worker of this server begins on, if there are enough."""
    parent = os.getppid()
    siblings = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    # In containers the parent is always 1: by the host's name not all of them begin on core 0.
    begin = zlib.crc32(f"{platform.node()} {parent}".encode())
    return sorted(cores)[(begin + siblings.index(str(os.getpid()))) % len(cores)]


def _stay_on(core: int) -> None:
    """Keep every thread of this process, and those it will start, on one core."""
    for task in _TASKS.iterdir():
        try:
            os.sched_setaffinity(int(task.name), {core})
        except ProcessLookupError:  # a thread that has just ended
            continue


def _follow_the_quiet_core(cores: Collection[int]) -> None:
    home = _first_core(cores)
    _stay_on(home)
    seen, own, at = busy_seconds(cores), time.process_time(), time.monotonic()
    while True:
        time.sleep(LOOK_EVERY_SECONDS)
        now, mine, when = busy_seconds(cores), time.process_time(), time.monotonic()
        taken = {core: (now[core] - seen[core]) / (when - at) for core in cores}
        taken[home] -= (mine - own) / (when - at)
        seen, own, at = now, mine, when
        better = quieter_core(home, taken)
        # By chance, or all workers that share one core would leave it for the same other one.
        if better is not None and secrets.randbelow(2):
            home = better
        # Each time anew, for threads that were started by a thread on another core.
        _stay_on(home)


def settle() -> threading.Thread | None:
    """This process stays on one core from now on; None where that is impossible or of no use."""
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    if len(cores) < 2 or not _STAT.exists():
        return None

    def follow() -> None:
        try:
            _follow_the_quiet_core(cores)
        except (OSError, ValueError, KeyError) as error:
            # It is forbidden, or /proc looks different here: the worker is slower, nothing else.
            logger.info("this worker stays on no core of its own: %s", error)

    thread = threading.Thread(target=follow, name="home-core", daemon=True)
    thread.start()
    return thread
