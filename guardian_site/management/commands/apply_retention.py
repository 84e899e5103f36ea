"""`manage.py apply_retention`: forget what is older than the settings allow, now."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from guardian_site.upkeep.retention import JobsFailed, apply_retention
from ingest import steady_clock


class Command(BaseCommand):
    help = "Delete what is older than GUARDIAN_KEEP_*_DAYS now. The hourly task does the same."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--seconds",
            type=float,
            default=86_400.0,
            help="stop after this many seconds; default a day",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = apply_retention(now=steady_clock.now(), seconds=options["seconds"])
        except JobsFailed as failure:
            raise CommandError(f"TimescaleDB jobs failed, see above: {failure}.") from failure
        for table, number in done.gone.items():
            self.stdout.write(f"{table}: {number:,} deleted")
        for job in done.jobs:
            self.stdout.write(f"ran {job}")
