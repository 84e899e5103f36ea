"""`manage.py apply_policies FILE.yaml`: what holds for each source, from a file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from detection.services.policies import PolicyFileError, apply_policies
from ingest.management.wording import counted


class Command(BaseCommand):
    help = (
        "Apply policies and special days from a YAML file: all of it or nothing. Special days that "
        "this file added before and no longer names are removed; what was declared in the admin or "
        "by other files stays. Format: deploy/docs/tuning.md."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--name",
            default="",
            help="name that identifies the file next time; default its file name",
        )
        parser.add_argument("--check", action="store_true", help="only show what would change")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            text = options["file"].read_text(encoding="utf-8")
            name = options["name"] or options["file"].name
            changed = apply_policies(text=text, name=name, check=options["check"])
        except (OSError, UnicodeDecodeError) as error:
            told = error.strerror if isinstance(error, OSError) else error
            raise CommandError(f"{options['file']} cannot be read: {told}.") from None
        except PolicyFileError as error:
            for fault in error.faults:
                self.stderr.write(fault)
            faults = counted(len(error.faults), "fault", "faults")
            raise CommandError(f"{faults}: nothing was applied.") from None
        word = "would change" if options["check"] else "changed"
        for where in changed:
            self.stdout.write(f"{word}: {where}")
        self.stdout.write(f"{len(changed)} {word}." if changed else "Nothing to change.")
