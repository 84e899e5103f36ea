"""The processor time of each piece of a report's way, in one process, one piece at a time.

    python -m deploy.bench.pieces

PostgreSQL and Valkey run beside it; the time of PostgreSQL's backend is measured too, in ticks of
the kernel's clock. The best of many blocks counts for each piece, so that other work on the machine
hardly shows.
"""

import contextlib
import itertools
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.bench import stack
from deploy.bench.in_process import Application, post

if TYPE_CHECKING:
    from ingest.reports import NewReport, RecordedReport, SourceRef

GROUPS = (1, 8, 32)
BLOCKS, BLOCK = 60, 10
STATEMENTS = 600
LEARNED_MINUTES = 3_000
BATCH = 1_000


def best(work: Callable[[], object], blocks: int = BLOCKS, block: int = BLOCK) -> float:
    """Return the processor time of one run of this thread in the best block [us]."""
    found = []
    for _ in range(blocks):
        began = time.thread_time()
        for _ in range(block):
            work()
        found.append((time.thread_time() - began) / block)
    return min(found) * 1e6


def tell(name: str, *columns: float) -> None:
    print(f"| {name} | {' | '.join(f'{one:,.1f}' for one in columns)} |", flush=True)


def bodies(began: datetime) -> Iterator[bytes]:
    """Yield reports that were never sent before."""
    for number in itertools.count():
        at = began - timedelta(days=2) + timedelta(milliseconds=7 * number)
        row = {"timestamp": at.isoformat(), "status": "approved", "count": 90 + number % 20}
        yield json.dumps(row).encode()


def whole_requests(application: Application, new: Iterator[bytes]) -> None:
    """Tell what whole requests cost, alone."""
    repeated = next(new)
    post(application, repeated)
    batches = (
        b'{"transactions":[' + b",".join(itertools.islice(new, BATCH)) + b"]}" for _ in range(40)
    )
    print("\n| whole requests, one at a time | µs |\n|---|---|")
    tell("refused at the door: `{}`", best(lambda: post(application, b"{}")))
    tell("repeat", best(lambda: post(application, repeated)))
    tell("new report", best(lambda: post(application, next(new))))
    each = best(lambda: post(application, next(batches), "/transactions/batch"), 8, 4)
    tell(f"batch of {BATCH}, each row, its making included", each / BATCH)


def single_pieces(new: Iterator[bytes]) -> None:
    """Tell what is done for each report by itself."""
    from ingest.parsing.bodies import read_report
    from ingest.repeats.answers import find_answers
    from ingest.services.receiving import receive_reports

    body = next(new)
    rows = [read_report(body)]
    reports = receive_reports(rows=rows, holder=None)
    print("\n| for each report | µs |\n|---|---|")
    tell("read and check the body", best(lambda: read_report(body)))
    tell("whose it is, and when", best(lambda: receive_reports(rows=rows, holder=None)))
    tell("look up a repeat in Valkey", best(lambda: find_answers(reports)))


def backend_us(write: Callable[[], object], statements: int) -> float:
    """Return the processor time of this thread's backend of PostgreSQL for one write [us]."""
    from django.db import connection

    connection.ensure_connection()
    stat = Path(f"/proc/{connection.connection.info.backend_pid}/stat")

    def used() -> float:
        fields = stat.read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / stack.TICKS

    for _ in range(5):
        write()
    began = used()
    for _ in range(statements):
        write()
    return (used() - began) / statements * 1e6


def group_pieces(new: Iterator[bytes], learned: "RecordedReport") -> None:
    """Tell what is done once for the reports that share a commit."""
    from django.db import connection

    from detection.services.assess import assess
    from ingest.parsing.bodies import read_report
    from ingest.repeats.answers import keep_answers, marks_now
    from ingest.services.receiving import receive_reports
    from ingest.services.recording import record_reports

    def group(size: int) -> "list[NewReport]":
        rows = [read_report(body) for body in itertools.islice(new, size)]
        return receive_reports(rows=rows, holder=None)

    heads = " | ".join(f"of {size}" for size in GROUPS)
    print(f"\n| for each report, in groups | {heads} |\n|---|{'---|' * len(GROUPS)}")

    def row(name: str, cost: Callable[[int], float]) -> None:
        tell(name, *(cost(size) / size for size in GROUPS))

    def written(size: int) -> float:
        groups = iter([group(size) for _ in range(BLOCKS * BLOCK)])
        return best(lambda: record_reports(reports=next(groups)))

    def in_backend(size: int) -> float:
        groups = iter([group(size) for _ in range(STATEMENTS + 5)])
        return backend_us(lambda: record_reports(reports=next(groups)), STATEMENTS)

    def planned_anew(size: int) -> float:
        with connection.cursor() as cursor:
            cursor.execute("SET plan_cache_mode = force_custom_plan")
            try:
                return in_backend(size)
            finally:
                cursor.execute("SET plan_cache_mode = force_generic_plan")

    def kept(size: int) -> float:
        reports, answer = group(size), b'{"level":"NORMAL","cached":true}' * 12
        marks = marks_now(reports)
        return best(lambda: keep_answers(marks, [(report, answer) for report in reports]))

    def learning(size: int) -> float:
        # The first may move the source on; those after it are told the version that came of it.
        assess(record_reports(reports=group(size)), complete=False)
        recorded = record_reports(reports=group(size))
        return best(lambda: assess(recorded, complete=False))

    def judged(size: int) -> float:
        return best(lambda: assess([learned] * size, complete=False))

    def marked(size: int) -> float:
        reports = group(size)
        return best(lambda: marks_now(reports))

    row("read the marks of their sources", marked)
    row("write and commit, in our process", written)
    row("the same in PostgreSQL's backend", in_backend)
    row("the same in PostgreSQL, planned anew each time", planned_anew)
    row("judge, while the source is learned", learning)
    row("judge, once it is learned", judged)
    row("keep the answers for repeats", kept)


def learned_source(now: datetime) -> "SourceRef":
    """Return a source that was watched for days."""
    from django.db import connection

    from deploy.bench.scale import FILL
    from detection.services.sweep import sweep_closed_minutes
    from ingest.services import resolve_sources

    ref = resolve_sources(names=["learned"])["learned"]
    last = now.replace(second=0, microsecond=0) - timedelta(minutes=2)
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"first": last - timedelta(minutes=LEARNED_MINUTES), "last": last})
    while sweep_closed_minutes(now=now).minutes:
        pass
    return ref


def recorded_now(source: "SourceRef", now: datetime) -> "RecordedReport":
    """Return a report of this minute as ingest hands it over, with an ordinary minute."""
    from detection.models import Baseline
    from ingest.reports import RecordedReport

    return RecordedReport(
        source=source,
        timestamp=now,
        minute=now.replace(second=0, microsecond=0),
        status="approved",
        auth_code="00",
        count=91,
        changed=True,
        corrected=False,
        minute_counts=[("approved", "00", 91), ("denied", "51", 9), ("failed", "00", 1)],
        known_version=Baseline.objects.get(source_id=source.id).version,
    )


def main() -> None:
    began = datetime.now(UTC)
    with contextlib.ExitStack() as parts:
        folder = parts.enter_context(tempfile.TemporaryDirectory(prefix="guardian-pieces-"))
        environment = {
            "GUARDIAN_DATA_DIR": folder,
            "GUARDIAN_RATE_LIMIT": "off",
            "GUARDIAN_LOG_LEVEL": "ERROR",
            "DATABASE_URL": parts.enter_context(stack.postgres()),
            "REDIS_URL": parts.enter_context(stack.valkey()),
        }
        stack.manage(environment, "migrate", "--verbosity", "0")
        # Read by settings and prometheus_client when they are imported.
        os.environ.update(environment, PROMETHEUS_MULTIPROC_DIR=folder)
        from django.db import connections

        from guardian_site.wsgi import application
        from ingest.repeats.stats import counts

        # First of all, for it is the only source then; those made later are only being learned.
        learned = recorded_now(learned_source(began), began)
        new = bodies(began)
        whole_requests(application, new)
        single_pieces(new)
        group_pieces(new, learned)
        counts.flush()
        connections.close_all()


if __name__ == "__main__":
    main()
