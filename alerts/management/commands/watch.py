"""manage.py watch: say so when a stage of Guardian itself stands still."""

import logging
import time
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError, close_old_connections

from alerts.conf import door_url
from alerts.services import watch_stages
from ingest import steady_clock

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "Watch the way from report to notification, and notify the backup channels when a"
        " stage stalls. It needs no worker or beat: run it beside them."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="check once and exit; for cron")
        parser.add_argument(
            "--door",
            default=door_url(),
            metavar="URL",
            help="also check here that the web server answers, such as"
            " http://web:8001/health/live; default in embedded mode its own",
        )
        parser.add_argument(
            "--every", type=float, default=30.0, help="seconds between checks; default 30"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["every"] >= 1:
            raise CommandError("--every must be 1 or more.")
        # After a night switched off, the stages have their time before somebody is told.
        begun = None if options["once"] else steady_clock.now()
        while not options["once"]:
            self._look_on(options["door"], begun)
            time.sleep(options["every"])
        for state in watch_stages(now=steady_clock.now(), door=options["door"], begun=begun):
            word = "stalled" if state.stopped else "running"
            self.stdout.write(f"{state.stage}: {word}")

    def _look_on(self, door: str, begun: datetime | None) -> None:
        try:
            close_old_connections()
            watch_stages(now=steady_clock.now(), door=door, begun=begun)
        except (OperationalError, InterfaceError) as error:
            # Whoever began anew for each restart of the database would give grace to what stands.
            logger.warning("Could not check: %s", error)
