"""Scrape a running demo: `python -m deploy.grafana.scrape [--url http://127.0.0.1:8001]`.

A real Prometheus scrapes it for two minutes. Every series behind any panel or rule must then exist,
with the labels that are asked for. Without `--url` it runs a demo of its own.
"""

import argparse
import contextlib
import shutil
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy.bench.stack import Missing, free_ports, manage
from deploy.grafana.checking.answers import get
from deploy.grafana.checking.interpolation import Range
from deploy.grafana.checking.questions import of_frames, of_panels, of_rules
from deploy.grafana.checking.selectors import selectors
from deploy.grafana.checking.stack import (
    process,
    prometheus,
    prometheus_config,
    wait_for,
)

# It fills in two weeks and judges them before it answers.
START_SECONDS = 600
# Names of what a demo of two minutes does not have, and why.
NOT_HERE = {
    "ALERTS": "there while an alert fires",
    "alertmanager_notifications_failed_total": "there is no Alertmanager beside a demo",
    "guardian_ingest_stream_entries_total": "nobody reads a stream in a demo",
    "guardian_ingest_stream_waiting_entries": "nobody reads a stream in a demo",
}


@contextlib.contextmanager
def demo(folder: Path) -> Iterator[str]:
    """Run a demo on a port and in a folder of its own; give its address."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    environment = {"GUARDIAN_PORT": str(port), "GUARDIAN_DATA_DIR": str(folder / "var")}
    with process([sys.executable, "manage.py", "demo"], folder / "demo.log", environment):
        wait_for(f"{url}/health/live", START_SECONDS)
        # Beat would have it trained within ten minutes.
        manage(environment, "forest", "train")
        yield url


def _chosen(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="", help="a demo that runs already")
    parser.add_argument("--seconds", type=int, default=120)
    return parser.parse_args(arguments)


def _scraped(address: str, seconds: int) -> dict[str, int]:
    """Return how many series Prometheus found behind each selector."""
    time.sleep(seconds)
    until = datetime.now(UTC)
    over = Range(until - timedelta(seconds=seconds), until)
    asked = selectors([*of_panels(), *of_frames(), *of_rules()], over)
    found = {}
    for selector in asked:
        query = f"count(last_over_time({selector}[{seconds + 60}s]))"
        answer = get(address, "query", {"query": query, "time": until.timestamp()})["result"]
        found[selector] = int(answer[0]["value"][1]) if answer else 0
    return found


def tell(found: dict[str, int], seconds: int) -> int:
    """Print what was found behind each selector; 1 if something is missing, else 0."""
    absent = {
        selector: NOT_HERE.get(selector.partition("{")[0], "")
        for selector, count in found.items()
        if not count
    }
    for selector, count in found.items():
        print(f"{count or absent[selector] or 'MISSING':>4}  {selector}")
    lacking = [selector for selector, why in absent.items() if not why]
    print(
        f"\n{len(found)} selectors behind panels and rules, {seconds} s of scraping:"
        f" {len(found) - len(absent)} with series, {len(absent) - len(lacking)} not of a demo,"
        f" {len(lacking)} missing"
    )
    return 1 if lacking else 0


def main(arguments: Sequence[str]) -> int:
    chosen = _chosen(arguments)
    folder = Path(tempfile.mkdtemp(prefix="guardian-scrape-"))
    with contextlib.ExitStack() as upward:
        upward.callback(shutil.rmtree, folder, ignore_errors=True)
        url = chosen.url or upward.enter_context(demo(folder))
        (port,) = free_ports(1)
        # All processes of a demo count into one folder, which its web process tells of.
        config = prometheus_config(urllib.parse.urlsplit(url).netloc, own=f"127.0.0.1:{port}")
        address = upward.enter_context(prometheus(config, port, folder))
        found = _scraped(address, chosen.seconds)
    return tell(found, chosen.seconds)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Missing as missing:
        sys.exit(str(missing))
