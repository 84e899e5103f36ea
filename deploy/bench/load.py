"""Measure the API under load: rates, latency, CPU per request, and ratios to a bare Django view.

    python -m deploy.bench.load [--database postgres|sqlite] [--seconds 6] [--json FILE]

Every figure comes from one run on one machine: between machines compare the ratios, not the rates.
"""

import argparse
import contextlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.bench import open_loop, stack

HERE = Path(__file__).parent
PORT = 8791


@dataclass(frozen=True)
class Case:
    """One way of calling the API."""

    name: str
    mode: str
    connections: int
    sources: int = 0
    batch: int = 1
    # Two connections send batches of 1000 all the while.
    beside: bool = False


@dataclass(frozen=True)
class Figures:
    """What one case gave."""

    name: str
    per_second: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu_us: float
    refused: int
    broken: int


LEARNED_SOURCES = 1_000
# Reports that leave on a schedule, whatever the server does [reports a second].
OPEN_LOOP_RATE = 1_000
OPEN_LOOP = Case(f"open loop, {OPEN_LOOP_RATE:,} reports a second", "open", 0)
# The cases in their order; after each part of them the memory of the processes is looked at.
PARTS: dict[str, tuple[Case, ...]] = {
    "after single reports of one source": (
        Case("single report, 16 connections", "single", 16),
        Case("single report, 64 connections", "single", 64),
        Case("single report, 1 connection", "single", 1),
        Case("repeat, 16 connections", "repeat", 16),
        OPEN_LOOP,
    ),
    "after those of 1,000 learned sources": (
        Case(
            "transaction of this moment, 1,000 learned sources, 16 connections",
            *("live", 16, LEARNED_SOURCES),
        ),
    ),
    "after those of 100,000 sources": (
        Case("single report of 1,000 sources, 16 connections", "single", 16, sources=1_000),
        Case("single report of 100,000 sources, 16 connections", "single", 16, sources=100_000),
    ),
    # They teach the sources what is normal: single reports are far from it afterwards, and
    # anomalies are stored for them.
    "after batches": (
        Case("batch of 1000, 2 connections", "batch", 2, batch=1000),
        Case("batch of 1000 of 100,000 sources, 2 connections", "batch", 2, 100_000, 1000),
        Case("single report beside batches of 1000, 4 connections", "single", 4, beside=True),
    ),
}
BARE = Case("bare Django view, 16 connections", "single", 16)


def wrk(case: Case, seconds: int, run: int, port: int = PORT) -> subprocess.Popen[str]:
    """Start the client of a case."""
    environment = {
        "MODE": case.mode,
        "BATCH": str(case.batch),
        "SOURCES": str(case.sources),
        "RUN": str(run),
    }
    return subprocess.Popen(
        [
            *("wrk", "-t1", f"-c{case.connections}", f"-d{seconds}s", "--timeout", "30s"),
            *("-s", str(HERE / "requests.lua"), f"http://127.0.0.1:{port}"),
        ],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def drive(case: Case, server: int, seconds: int, run: int, port: int = PORT) -> Figures:
    """Drive one case and read the processor time of the server's processes around it."""
    if case is OPEN_LOOP:
        return _drive_open_loop(server, seconds, port)
    with contextlib.ExitStack() as others:
        if case.beside:
            batches = wrk(Case("batches", "batch", 2, batch=1000), seconds + 2, run + 1, port)
            others.enter_context(batches)
            time.sleep(1)
        before = stack.cpu_seconds(server)
        with wrk(case, seconds, run, port) as client:
            said = client.communicate()[1]
        used = stack.cpu_seconds(server) - before
        if case.beside:
            batches.communicate()
    told = json.loads(said.split("@@", 1)[1].splitlines()[0])
    records = told["requests"] * case.batch
    return Figures(
        name=case.name,
        per_second=round(records / told["seconds"], 1),
        p50_ms=round(told["p50_ms"], 2),
        p95_ms=round(told["p95_ms"], 2),
        p99_ms=round(told["p99_ms"], 2),
        cpu_us=round(used / max(1, records) * 1e6, 1),
        refused=told["refused"],
        broken=told["broken"],
    )


def table(rows: list[Figures], bare: float) -> str:
    """Return the figures as a Markdown table."""
    head = (
        "| case | per second | of bare | p50 ms | p95 ms | p99 ms | CPU µs each | not 2xx |\n"
        "|---|---|---|---|---|---|---|---|"
    )
    lines = [
        f"| {row.name} | {row.per_second:,.0f} | {row.per_second / bare:.2f} | {row.p50_ms} "
        f"| {row.p95_ms} | {row.p99_ms} | {row.cpu_us:.0f} | {row.refused + row.broken} |"
        for row in rows
    ]
    return "\n".join([head, *lines])


def bench_bare(seconds: int, workers: int, threads: int) -> Figures:
    """Measure the floor: the same server with a view that does nothing."""
    with stack.web(
        "deploy.bench.bare:application", {}, port=PORT, workers=workers, threads=threads
    ) as process:
        drive(BARE, process.pid, 2, 0)
        return drive(BARE, process.pid, seconds, 1)


def bench_guardian(
    environment: Mapping[str, str], seconds: int, workers: int, threads: int, only: str
) -> tuple[list[Figures], dict[str, str]]:
    """Measure the cases against the real application; memory is told by when it was looked at."""
    stack.manage(environment, "migrate", "--verbosity", "0")
    stack.manage(environment, "collectstatic", "--noinput", "--verbosity", "0")
    for script in preparations():
        stack.manage(environment, "shell", "-c", script)
    rows, memory = [], {}
    application = "guardian_site.wsgi:application"
    with stack.web(
        application, environment, port=PORT, workers=workers, threads=threads
    ) as process:
        drive(Case("warm-up", "single", 16), process.pid, 3, int(time.time()) % 97)
        runs = itertools.count(100 + int(time.time()) % 7919)

        for when, cases in PARTS.items():
            asked = [case for case in cases if only in case.name]
            for case in asked:
                rows.append(drive(case, process.pid, seconds, next(runs)))
                print(table(rows[-1:], 1.0).splitlines()[-1], file=sys.stderr, flush=True)
            if asked:
                memory[when] = memory_of(process.pid)
    return rows, memory


def preparations() -> tuple[str, ...]:
    """Return what is run in the shell before the cases: it makes and teaches their sources."""
    most = max(case.sources for cases in PARTS.values() for case in cases)
    return (MAKE_SOURCES % most, TEACH_SOURCES % LEARNED_SOURCES, ANALYZE)


def memory_of(server: int) -> str:
    """Return the memory of the server's processes, the parent first, as it is told."""
    pairs = zip(stack.megabytes(server), stack.megabytes(server, "Pss"), strict=True)
    return ", ".join(f"{held:.0f} ({own:.0f})" for held, own in pairs)


def _drive_open_loop(server: int, seconds: int, port: int) -> Figures:
    """Send reports at a constant rate; latency counts from when each should have left."""
    before = stack.cpu_seconds(server)
    seen = open_loop.run(port, OPEN_LOOP_RATE, seconds)
    used = stack.cpu_seconds(server) - before
    return Figures(
        name=OPEN_LOOP.name,
        per_second=round(seen.sent / seconds, 1),
        p50_ms=seen.p50,
        p95_ms=seen.p95,
        p99_ms=seen.p99,
        cpu_us=round(used / seen.sent * 1e6, 1),
        refused=0,
        broken=seen.broken,
    )


MAKE_SOURCES = """
from ingest.models import Source
names = [f"s{number}" for number in range(1, %d + 1)]
Source.objects.bulk_create([Source(name=name) for name in names], 5_000, ignore_conflicts=True)
"""
# What autovacuum does within a minute: until then PostgreSQL plans for a table of a few sources.
ANALYZE = """
from django.db import connection
connection.cursor().execute("ANALYZE")
"""
# Sources watched for three hours, so that every report of theirs is judged against what is normal.
TEACH_SOURCES = """
from datetime import UTC, datetime, timedelta
from random import Random
from detection.services.sweep import sweep_closed_minutes
from ingest.models import MinuteCount, Source
sources = Source.objects.bulk_create([Source(name=f"l{number}") for number in range(1, %d + 1)])
now, random = datetime.now(UTC).replace(second=0, microsecond=0), Random(7)
usual = (("approved", "00", 180), ("denied", "51", 18), ("failed", "00", 2))
for minute in (now - timedelta(minutes=ago) for ago in range(181, 1, -1)):
    MinuteCount.objects.bulk_create(
        MinuteCount(
            source=source, minute=minute, status=status, auth_code=code,
            count=max(0, round(random.gauss(count, count**0.5))),
        )
        for source in sources for status, code, count in usual
    )
while sweep_closed_minutes(now=now).minutes:
    pass
"""


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["postgres", "sqlite"], default="postgres")
    parser.add_argument("--seconds", type=int, default=6, help="length of each case")
    parser.add_argument("--workers", type=int, help="web workers; usually 2, on SQLite 1")
    parser.add_argument("--threads", type=int, default=32)
    parser.add_argument("--only", default="", help="cases whose name holds this")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    return parser.parse_args(arguments)


def main() -> None:
    options = parse()
    if not shutil.which("wrk"):
        sys.exit("wrk is needed (Debian: apt-get install wrk).")
    workers = options.workers or (2 if options.database == "postgres" else 1)
    bare = bench_bare(options.seconds, workers, options.threads)
    folder = Path(tempfile.mkdtemp(prefix="guardian-bench-"))
    environment = {"GUARDIAN_DATA_DIR": str(folder), "GUARDIAN_RATE_LIMIT": "off"}
    with contextlib.ExitStack() as parts:
        parts.callback(shutil.rmtree, folder, ignore_errors=True)
        if options.database == "postgres":
            environment["DATABASE_URL"] = parts.enter_context(stack.postgres())
            environment["REDIS_URL"] = parts.enter_context(stack.valkey())
        rows, memory = bench_guardian(
            environment, options.seconds, workers, options.threads, options.only
        )
    print(f"{options.database}, {workers} web worker(s), {os.cpu_count()} cores shared with client")
    print(table([bare, *rows], bare.per_second))
    print("Memory of the web processes [MB], in brackets with what they share counted once:")
    for when, told in memory.items():
        print(f"- {when}: {told}")
    if options.json:
        figures = [asdict(row) for row in (bare, *rows)]
        options.json.write_text(json.dumps({"rows": figures, "memory_mb": memory}, indent=1))


if __name__ == "__main__":
    main()
