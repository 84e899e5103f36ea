"""What metrics cost a report: processor time with them, and with all of them silenced.

    python -m deploy.bench.metrics_overhead [--rounds 12] [--reports 300]

Both ways take turns in one process, through the whole WSGI application, so that other load of the
machine affects both. They use a database of their own, and metrics that processes share, as in
production.
"""

import argparse
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from deploy.bench.in_process import Application, post

LIMIT = 0.10


def _prepare(folder: str) -> Application:
    os.environ["GUARDIAN_DATA_DIR"] = folder
    os.environ["GUARDIAN_RATE_LIMIT"] = "off"
    os.environ["GUARDIAN_LOG_LEVEL"] = "ERROR"
    # Read by prometheus_client when it is imported, hence before Django.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
    from django.core.management import call_command

    from guardian_site.wsgi import application

    call_command("migrate", verbosity=0)
    return application


@contextmanager
def _silenced() -> Iterator[None]:
    """Inside, no metric counts."""
    from prometheus_client import Counter, Gauge, Histogram

    kept = Counter.inc, Histogram.observe, Gauge.set

    def nothing(*_: object, **__: object) -> None:
        return

    Counter.inc = Histogram.observe = Gauge.set = nothing  # type: ignore[method-assign]
    try:
        yield
    finally:
        Counter.inc, Histogram.observe, Gauge.set = kept  # type: ignore[method-assign]


def _report(application: Application, moment: datetime) -> None:
    body = json.dumps(
        {"timestamp": moment.isoformat(), "status": "approved", "count": 117, "auth_code": "00"}
    ).encode()
    told = post(application, body)
    if told != "200 OK":
        raise RuntimeError(f"a report was answered with {told}")


def measure(
    application: Application, moments: Iterator[datetime], rounds: int, reports: int
) -> tuple[list[float], list[float]]:
    """Return the processor time of a report with and without metrics, by round [us]."""

    def block() -> float:
        began = time.process_time()
        for _time in range(reports):
            _report(application, next(moments))
        return (time.process_time() - began) / reports * 1e6

    block()
    counted, silent = [], []
    for _round in range(rounds):
        counted.append(block())
        with _silenced():
            silent.append(block())
    return counted, silent


def _tell(name: str, counted: Sequence[float], silent: Sequence[float]) -> float:
    share = statistics.median(a / b - 1 for a, b in zip(counted, silent, strict=True))
    print(
        f"{name:<12} {statistics.median(counted):7.1f} us CPU with metrics,"
        f" {statistics.median(silent):7.1f} us without: {share:+.1%} (at most {LIMIT:.0%})"
    )
    return share


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--reports", type=int, default=300)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="guardian-overhead-") as folder:
        application = _prepare(folder)
        start = datetime.now(UTC) - timedelta(days=3)
        each_new = (start + timedelta(milliseconds=250 * step) for step in itertools.count())
        shares = [
            _tell(name, *measure(application, moments, asked.rounds, asked.reports))
            # A repeat is answered from the cache: the cheapest request, where counting weighs most.
            for name, moments in (("new report", each_new), ("repeat", itertools.repeat(start)))
        ]
    return 0 if max(shares) <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
