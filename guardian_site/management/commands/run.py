"""`manage.py run`: the whole product in the foreground; Ctrl-C stops all of it."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from guardian_site.embedded.running import alone_at, run_guardian


class Command(BaseCommand):
    help = "Run web, worker and beat (and in embedded mode the broker) until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=settings.GUARDIAN_HOST, help="default GUARDIAN_HOST")
        parser.add_argument(
            "--port", type=int, default=settings.GUARDIAN_PORT, help="default GUARDIAN_PORT"
        )

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        if not 1 <= port <= 65535:
            raise CommandError(f"--port {port}: write a whole number, 1 to 65535.")
        with alone_at(host, port):
            run_guardian(host=host, port=port, notes=["an account for the admin: make admin"])
        self.stdout.write("Stopped.")
