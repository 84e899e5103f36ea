"""`manage.py run`: the whole product in the foreground; Ctrl-C stops all of it."""

import contextlib
import threading
import time
import urllib.request
from typing import Any

from django.conf import settings
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand, CommandParser

from guardian_site import supervisor
from guardian_site.schedule import QUEUES


class Command(BaseCommand):
    help = "Run web, worker and beat (and in embedded mode the broker) until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=settings.GUARDIAN_HOST)
        parser.add_argument("--port", type=int, default=settings.GUARDIAN_PORT)

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        if supervisor.is_taken(host, port):
            raise CommandError(
                f"Port {port} is in use. Stop what listens there or set GUARDIAN_PORT."
            )
        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        with contextlib.ExitStack() as stack:
            broker = settings.REDIS_URL or stack.enter_context(
                supervisor.embedded_broker(settings.DATA_DIR)
            )
            environment = {"GUARDIAN_BROKER_URL": broker, "GUARDIAN_PORT": str(port)}
            threading.Thread(target=self._greet, args=(host, port), daemon=True).start()
            supervisor.Supervisor(
                [
                    supervisor.Part(
                        "worker", supervisor.worker_command(QUEUES, settings.DATA_DIR), environment
                    ),
                    supervisor.Part(
                        "web",
                        supervisor.web_command(
                            host, port, settings.GUARDIAN_WEB_WORKERS, settings.GUARDIAN_WEB_THREADS
                        ),
                        environment,
                    ),
                ]
            ).run()
        self.stdout.write("Stopped.")

    def _greet(self, host: str, port: int) -> None:
        address = f"http://{host}:{port}"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{address}/health/live", timeout=2)
                break
            time.sleep(0.2)
        else:
            self.stderr.write("The web server has not answered for a minute; see the log above.")
            return
        self.stdout.write(
            f"\n  Transaction Guardian is running.\n"
            f"    live page   {address}/\n"
            f"    API         {address}/docs\n"
            f"    admin       {address}/admin/   (make an account: make admin)\n"
            f"    health      {address}/health\n"
            f"  Ctrl-C stops all of it.\n"
        )
