"""`manage.py forget_source NAME`: what would go; with --yes it goes."""

import getpass
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from guardian_site.upkeep.forgetting import forget_source, rows_of
from ingest.models import Source


class Command(BaseCommand):
    help = "Delete a source with everything it reported and everything derived from it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--yes", action="store_true", help="delete it; this cannot be undone")

    def handle(self, *args: Any, name: str, yes: bool, **options: Any) -> None:
        source = Source.objects.filter(name=name).first()
        if source is None:
            raise CommandError(f"There is no source named {name}.")
        if yes:
            counts = forget_source(source=source, by=getpass.getuser(), now=timezone.now())
        else:
            counts = rows_of(source)
        for kind, number in counts.items():
            self.stdout.write(f"{number:>12,} {kind}")
        self.stdout.write(
            f"{name} was deleted." if yes else f"Nothing was deleted. To delete {name}, add --yes."
        )
