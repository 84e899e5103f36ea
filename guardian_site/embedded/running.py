"""The whole product in the foreground: what `manage.py run` and `manage.py demo` share."""

import contextlib
import shutil
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from django.conf import settings
from django.core.management import CommandError, call_command

from guardian_site.access.exposure import reasons_not_to_listen, who_may
from guardian_site.embedded import supervisor
from guardian_site.embedded.one_at_a_time import InUse, alone_in
from guardian_site.environment import own_address
from guardian_site.pulse import URGENT
from guardian_site.schedule import QUEUES

READY_SECONDS = 60.0
PATIENT = tuple(queue for queue in QUEUES if queue not in URGENT)
BANNER = """
  Transaction Guardian is running.
    live page   {address}/
    API         {address}/docs
    admin       {address}/admin/
    health      {address}/health
{notes}  Ctrl-C stops all of it.
"""


@contextlib.contextmanager
def alone_at(host: str, port: int) -> Iterator[None]:
    """Within this block the data folder is ours; nothing else listened on the port at its start.

    Raises
    ------
    CommandError
        If the folder is in use, or the port.
    """
    refuse_taken(host, port)
    try:
        with alone_in(settings.DATA_DIR):
            yield
    except InUse as error:
        raise CommandError(f"{error} Or give this one a GUARDIAN_DATA_DIR of its own.") from error


def run_guardian(
    *, host: str, port: int, beside: Sequence[supervisor.Part] = (), notes: Sequence[str] = ()
) -> None:
    """Run web, worker, beat and the parts `beside` them, until somebody stops them.

    To be called within `alone_at` this host and port.
    """
    call_command("migrate", verbosity=0)
    if missing := reasons_not_to_listen(host):
        steps = "".join(f"\n  - {step}" for step in missing)
        raise CommandError(f"{host} can be reached from elsewhere. First:{steps}")
    try:
        parts, environment = _prepared(host, port)
    except OSError as error:
        where = error.filename or f"GUARDIAN_DATA_DIR={settings.DATA_DIR}"
        raise CommandError(
            f"{where}: {error.strerror}. Make room, or name another folder."
        ) from error
    notes = [who_may(host), *notes]
    threading.Thread(target=_greet, args=(host, port, notes), daemon=True).start()
    supervisor.Supervisor([*parts, *_parts(host, port, environment), *beside]).run()


def _prepared(host: str, port: int) -> tuple[list[supervisor.Part], dict[str, str]]:
    """Return the embedded broker, if one is needed, and the environment of all parts."""
    call_command("collectstatic", interactive=False, verbosity=0)
    broker, parts = settings.REDIS_URL, list[supervisor.Part]()
    if not broker:
        broker, parts = supervisor.embedded_broker(settings.DATA_DIR)
    return parts, {
        "GUARDIAN_BROKER_URL": broker,
        "GUARDIAN_HOST": host,
        "GUARDIAN_PORT": str(port),
        "PROMETHEUS_MULTIPROC_DIR": str(_empty(settings.DATA_DIR / "metrics")),
    }


def refuse_taken(host: str, port: int) -> None:
    """Nothing listens at this host and port, or on the port of the metrics.

    Raises
    ------
    CommandError
        If something does, or there is no such host.
    """
    try:
        taken = supervisor.is_taken(host, port)
    except OSError as error:
        raise CommandError(f"GUARDIAN_HOST={host}: {error.strerror}.") from error
    if taken:
        raise CommandError(f"Port {port} is in use. Stop what listens there or set GUARDIAN_PORT.")
    metrics = settings.GUARDIAN_METRICS_PORT
    if metrics and (metrics == port or supervisor.is_taken(host, metrics)):
        raise CommandError(
            f"Port {metrics} of GUARDIAN_METRICS_PORT is in use. Name another, or leave it out: "
            "the web server tells the metrics of all parts."
        )


def _parts(host: str, port: int, environment: dict[str, str]) -> list[supervisor.Part]:
    workers, threads = settings.GUARDIAN_WEB_WORKERS, settings.GUARDIAN_WEB_THREADS
    web = {"GUARDIAN_WEB_HOME_CORE": "on", **environment}
    # Only the worker listens on this port, and tells what all parts have counted.
    other = {**environment, "GUARDIAN_METRICS_PORT": "0"}
    return [
        supervisor.Part("worker", supervisor.worker_command(URGENT), environment),
        # Backtests take minutes each: what is judged and told must not wait for them.
        supervisor.Part("trainer", supervisor.worker_command(PATIENT, threads=2), other),
        supervisor.Part("beat", supervisor.beat_command(settings.DATA_DIR), other),
        # Not a task: it has to speak up when the worker, which runs the tasks, is gone.
        supervisor.Part("watch", [sys.executable, "manage.py", "watch"], environment),
        supervisor.Part("web", supervisor.web_command(host, port, workers, threads), web),
    ]


def _empty(folder: Path) -> Path:
    """Return the folder, emptied: counts of former processes would be added to the new ones."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _greet(host: str, port: int, notes: Sequence[str]) -> None:
    address = own_address(host, port)
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"{address}/health/live", timeout=2).close()
            lines = "".join(f"    {note}\n" for note in notes)
            print(BANNER.format(address=address, notes=lines), flush=True)
            return
        time.sleep(0.2)
    print("The web server has not answered for a minute; see the messages above.", flush=True)
