"""`manage.py backup FILE`: a copy of the database as it is at one moment, while all goes on."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from guardian_site.upkeep.backups import back_up
from guardian_site.upkeep.postgresql_tools import BackupFailed


class Command(BaseCommand):
    help = "Copy the database to a new file. Nothing needs to be stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            back_up(file)
        except BackupFailed as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{file}: {file.stat().st_size:,} bytes.")
