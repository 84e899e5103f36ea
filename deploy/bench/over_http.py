"""The detection benchmark over the doors of the running product, beside the same in process.

    python -m deploy.bench.over_http --seeds 351 --days 1

One product for each seed, so that no database is fuller than a month would make it.
"""

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from deploy.bench import stack
from deploy.bench.faults import Database
from detection.bench import harness, lockstep
from detection.bench.suites import parser, suites
from detection.bench.tables import tell
from detection.scoring.series import MINUTES_PER_DAY, Floats

# What the harness sends unjudged, as history, ends so long before the scored days [minutes].
WARM_ENDS = 240
# Half minutes the product is given to start on a busy machine.
STARTS = 6


@dataclass(frozen=True)
class Told:
    """What the doors answered: levels and scores (T, S), and where they differ from in process.

    `streams` are those that were answered to their end, `broken` says why the others were not.
    """

    streams: list[Any]
    broken: list[str]
    level: NDArray[np.int8]
    score: Floats
    # a line for each
    differing: list[str]
    compared: int


def main() -> None:
    """Ask the product about the asked-for suites and print how it did."""
    options = _options()
    generator, metrics, table = harness.load(options.bench_dir)
    for kind, streams in suites(generator, options):
        for seed, of_seed in streams.items():
            asked = [last_days(stream, options.days) for stream in of_seed]
            began = time.monotonic()
            told = _ask_product(asked, f"{kind}-{seed}", options)
            seconds = time.monotonic() - began
            print(
                f"\n## {kind} over HTTP, seed {seed}: {len(told.streams)} of {len(asked)} streams, "
                f"{seconds:.0f} s; {len(told.differing)} of {told.compared} levels differ from in "
                "process\n"
            )
            for other in told.differing:
                print(f"DIFFERS: {other}\n")
            for one in told.broken:
                print(f"BROKEN OFF: {one}\n")
            tell(told.streams, {"guardian over HTTP": (told.level, told.score)}, metrics, table)


def _options() -> argparse.Namespace:
    asked = parser("python -m deploy.bench.over_http", __doc__)
    asked.add_argument(
        "--url",
        default="",
        help="the address of a running product with no rate limit and none of the streams' names "
        "known; without one the product is started on a fresh database",
    )
    asked.add_argument("--no-ticks", action="store_true", help="report counts only")
    asked.add_argument("--days", type=int, default=7, help="last days that are asked about")
    asked.add_argument("--clients", type=int, default=2, help="streams at the same time")
    return asked.parse_args()


def _ask_product(streams: list[Any], prefix: str, options: argparse.Namespace) -> Told:
    with contextlib.ExitStack() as parts:
        return ask(
            lockstep.without_truth(streams),
            options.url or parts.enter_context(product()),
            prefix=prefix,
            ticks=not options.no_ticks,
            clients=options.clients,
            doors=harness.load_doors(options.bench_dir),
        )


@contextlib.contextmanager
def product() -> Iterator[str]:
    """Run web, worker and beat on a fresh PostgreSQL and a fresh Valkey; yields the address."""
    folder = Path(tempfile.mkdtemp(prefix="guardian-over-http-"))
    (port,) = stack.free_ports(1)
    with contextlib.ExitStack() as parts:
        parts.callback(shutil.rmtree, folder, ignore_errors=True)
        database = Database(folder)
        parts.callback(database.close)
        environment = {
            "DATABASE_URL": database.url,
            "REDIS_URL": parts.enter_context(stack.valkey()),
            "GUARDIAN_DATA_DIR": str(folder),
            "GUARDIAN_PORT": str(port),
            "GUARDIAN_RATE_LIMIT": "off",
            "GUARDIAN_LOG_LEVEL": "ERROR",
        }
        stack.manage(environment, "migrate", "--verbosity", "0")
        address = f"http://127.0.0.1:{port}"
        parts.enter_context(_running(environment, address))
        yield address


@contextlib.contextmanager
def _running(environment: dict[str, str], address: str) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "run"],
        cwd=stack.ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
    )

    def stop(*_: object) -> None:
        # the clients' threads end when nobody answers them any more
        process.terminate()
        sys.exit(143)

    signal.signal(signal.SIGTERM, stop)
    try:
        for patience in range(STARTS, -1, -1):
            try:
                stack.wait_until_it_answers(f"{address}/health/live", process)
                break
            except RuntimeError:
                if not patience or process.poll() is not None:
                    raise
        yield
    finally:
        process.terminate()
        process.wait(60)


def last_days(stream: Any, days: int) -> Any:
    """The stream of which only so many days at the end are scored."""
    first = max(stream.T - days * MINUTES_PER_DAY, stream.eval_from)
    incidents = [one for one in stream.incidents if one.start >= first]
    return replace(stream, eval_from=first, incidents=incidents)


def ask(
    streams: list[Any], address: str, *, prefix: str, ticks: bool, clients: int, doors: Any
) -> Told:
    """Send every stream as the harness does, each as a source of its own.

    Parameters
    ----------
    prefix : str
        Put before the streams' names: two seeds have streams of the same name.
    ticks : bool
        Also say that each minute is complete. Without it nothing tells of an empty minute.
    clients : int
        Streams sent at the same time.
    doors : (base, runner) modules of the harness
    """
    base, runner = doors

    broken: list[str] = []

    def one(stream: Any) -> tuple[NDArray[np.int8], Floats] | None:
        def client(name: str) -> Any:
            return base.HttpDetector(
                name,
                f"{address}/transactions/batch",
                tick_url=f"{address}/minutes/close" if ticks else None,
                stream_field="source",
            )

        try:
            level, score = runner.run_stream(
                client, replace(stream, name=f"{prefix}-{stream.name}")
            )
        except OSError as error:
            # refused, broken off or not answered within the harness's minute: that is a finding
            broken.append(f"{stream.name}: {error}")
            return None
        return level, score

    with ThreadPoolExecutor(clients) as pool:
        told = list(tqdm(pool.map(one, streams), total=len(streams), unit=" stream", leave=False))
    whole = [stream for stream, each in zip(streams, told, strict=True) if each is not None]
    if not whole:
        raise RuntimeError(f"no stream was answered to its end: {'; '.join(broken)}")
    level = np.stack([each[0] for each in told if each is not None], axis=1)
    score = np.stack([each[1] for each in told if each is not None], axis=1)
    differing, compared = _compare(whole, level, ticks=ticks)
    return Told(whole, broken, level, score, differing, compared)


def _compare(streams: list[Any], level: NDArray[np.int8], *, ticks: bool) -> tuple[list[str], int]:
    """Which minutes have another level than in process, and of how many that were asked about."""
    own, _ = lockstep.run(streams)["guardian"]
    asked = np.zeros(level.shape, bool)
    for row, stream in enumerate(streams):
        asked[stream.eval_from - WARM_ENDS :, row] = True
    if not ticks:
        asked &= lockstep.arrange(streams).reported
    other = [
        f"{streams[row].name} {streams[row].ts(minute)}: {level[minute, row]} told, "
        f"{own[minute, row]} in process"
        for minute, row in np.argwhere((own != level) & asked)
    ]
    return other, int(asked.sum())


if __name__ == "__main__":
    main()
