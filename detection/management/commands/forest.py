"""`manage.py forest train|list|promote N|rollback`: the versions of the forest."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from detection.models import ForestVersion
from detection.selectors.forests import forest_versions
from detection.services.forests import promote_forest, roll_back_forest
from detection.services.training import due_reason, retrain_forest
from ingest import steady_clock


class Command(BaseCommand):
    help = "Train, list, promote or roll back the Isolation Forest that gives the second opinion."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        train = actions.add_parser("train", help="train one now; it goes live if it is no worse")
        train.add_argument("--if-due", action="store_true", help="only if one is due")
        actions.add_parser("list", help="show all versions")
        actions.add_parser("promote", help="put a version live").add_argument("number", type=int)
        actions.add_parser("rollback", help="put the previous version back live")

    def handle(self, *args: Any, **options: Any) -> None:
        action = options["action"]
        {
            "train": lambda: self._train(if_due=options["if_due"]),
            "list": self._list,
            "promote": lambda: self._promote(options["number"]),
            "rollback": self._roll_back,
        }[action]()

    def _train(self, *, if_due: bool) -> None:
        now = steady_clock.now()
        reason = due_reason(now=now)
        if if_due and reason is None:
            self.stdout.write("No training is due.")
            return
        with tqdm(desc="Reading history", unit=" min", leave=False, disable=None) as bar:
            version = retrain_forest(now=now, force=True, progress=bar.update)
        if version is None:
            raise CommandError("Not enough normal history to train on yet.")
        self._show(version)

    def _list(self) -> None:
        versions = forest_versions()
        for version in versions:
            self._show(version)
        if not versions:
            self.stdout.write("No forest yet: `manage.py forest train`.")

    def _promote(self, number: int) -> None:
        try:
            self._show(promote_forest(number=number, now=steady_clock.now()))
        except ForestVersion.DoesNotExist:
            raise CommandError(f"There is no forest {number}.") from None
        except ValueError as error:
            raise CommandError(str(error)) from None

    def _roll_back(self) -> None:
        version = roll_back_forest(now=steady_clock.now())
        if version is None:
            self.stdout.write("No forest is live; rules and Z-score judge alone.")
        else:
            self._show(version)

    def _show(self, version: ForestVersion) -> None:
        numbers = ", ".join(
            f"{name} {value}"
            for name, value in version.metrics.items()
            if isinstance(value, int | float)
        )
        self.stdout.write(
            f"{version.pk:>4}  {version.state:<8} {version.trained:%Y-%m-%d %H:%M}  "
            f"{version.parameters.get('rows', 0)} rows  {numbers}  {version.note}"
        )
