"""`manage.py restore FILE`: the database becomes that of a backup. Stop Guardian first."""

from argparse import ArgumentParser
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from guardian_site import environment
from guardian_site.embedded.one_at_a_time import InUse, alone_in
from guardian_site.upkeep.backups import kept_aside, refuse_newer, restore
from guardian_site.upkeep.postgresql_tools import BackupFailed


class Command(BaseCommand):
    help = (
        "Replace the database with a backup, then migrate it to this version. Stop Guardian first."
    )
    # A database without tables is what a backup of PostgreSQL is restored into.
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--yes", action="store_true", help="confirm that the present data may be lost"
        )

    def handle(self, *args: Any, file: Path, yes: bool, **options: Any) -> None:
        if not yes:
            raise CommandError("What the database holds now will be lost. Add --yes to confirm.")
        try:
            # PostgreSQL is restored into an empty database: whatever runs is in another.
            with alone_in(settings.DATA_DIR) if connection.vendor == "sqlite" else nullcontext():
                # A superuser, for TimescaleDB. Read here, so that nothing else ever knows it.
                restore(file, administrator_url=environment.text("GUARDIAN_RESTORE_URL"))
                refuse_newer(file)
                call_command("migrate", verbosity=0)
        except (BackupFailed, InUse) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Restored {file} and migrated it to this version.")
        if connection.vendor == "sqlite":
            aside = kept_aside(Path(connection.settings_dict["NAME"]))
            if aside.exists():
                self.stdout.write(f"The previous database is in {aside}.")
