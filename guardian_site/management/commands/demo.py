"""`manage.py demo`: a simulated payments company, with an incident on the way."""

import io
import secrets
import sys
from argparse import ArgumentTypeError
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db.models import Max
from django.utils import timezone
from tqdm import tqdm

from detection import conf
from detection.selectors.baselines import first_minutes, frontiers
from detection.services.sweep import sweep_closed_minutes
from guardian_site.embedded.demonstration import mark_as_demo, what_is_real
from guardian_site.embedded.running import alone_at, run_guardian
from guardian_site.embedded.supervisor import Part
from ingest.management.commands.simulate import span_minutes
from ingest.models import MinuteCount
from ingest.simulator.scenarios import Scenario, read_scenario

ADMIN = "demo"
# For a quarter of an hour the largest source denies five times as much as usual; it begins soon
# enough to be seen by somebody who has just opened the page.
STARTS = 2
SCENARIO = f"denial_surge@{STARTS}+15"


class Command(BaseCommand):
    help = "Fill in two weeks of a simulated company, then run Guardian with live traffic."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--history",
            type=_span,
            default="14d",
            metavar="14d",
            help="how much history to fill in; default 14d",
        )
        parser.add_argument(
            "--scenario",
            type=_scenario,
            default=SCENARIO,
            metavar="NAME[@MINUTE][+LENGTH][*STRENGTH]",
            help=f"the incident to start; default {SCENARIO}",
        )
        parser.add_argument(
            "--seed", type=int, default=7, help="seed of the simulated traffic; default 7"
        )

    def handle(
        self, *args: Any, history: str, scenario: Scenario, seed: int, **options: Any
    ) -> None:
        if not settings.EMBEDDED:
            raise CommandError(
                "The demo writes simulated history: run it without DATABASE_URL and REDIS_URL."
            )
        # Checked before anything is written: a demo that runs already keeps its password.
        with alone_at(settings.GUARDIAN_HOST, settings.GUARDIAN_PORT):
            self._run(history, scenario, seed)
        self.stdout.write("Stopped.")

    def _run(self, history: str, scenario: Scenario, seed: int) -> None:
        self._refuse_what_is_real()
        call_command("migrate", verbosity=0)
        mark_as_demo()
        if MinuteCount.objects.exists():
            self.stdout.write("Continuing with the existing history (`make clean` removes it).")
        else:
            call_command(
                "simulate", "--history", history, "--seed", str(seed), stdout=io.StringIO()
            )
        self._learn()
        run_guardian(
            host=settings.GUARDIAN_HOST,
            port=settings.GUARDIAN_PORT,
            beside=[self._traffic(scenario, seed)],
            notes=[
                f"account     {ADMIN}, password {self._administrator()} (new at each start)",
                f"incident    {scenario.name} begins at the largest source within two"
                " minutes, and its alert follows two or three minutes later",
            ],
        )

    @staticmethod
    def _refuse_what_is_real() -> None:
        if found := what_is_real():
            raise CommandError(
                f"{settings.DATA_DIR} holds {found} that no demo made: nothing was written. "
                "Give the demo a folder of its own, for example "
                "GUARDIAN_DATA_DIR=/tmp/guardian-demo make demo."
            )

    def _learn(self) -> None:
        """Judge the whole history, as the sweep would in the background.

        The minutes that pass meanwhile are not judged yet: their traffic is still to come.
        """
        end = _newest() + timedelta(minutes=1) + conf.grace() + conf.SETTLING
        behind = _minutes_behind(end)
        with tqdm(total=behind, unit="min", desc="Learning what is normal", ncols=80) as bar:
            while sweep_closed_minutes(now=end).minutes:
                left = _minutes_behind(end)
                bar.update(behind - left)
                behind = left

    @staticmethod
    def _administrator() -> str:
        """Make the demo's account with a password of its own; nobody else's demo has the same."""
        password = secrets.token_urlsafe(9)
        user, _ = get_user_model().objects.get_or_create(
            username=ADMIN, defaults={"is_staff": True, "is_superuser": True}
        )
        user.set_password(password)
        user.save()
        return password

    @staticmethod
    def _traffic(scenario: Scenario, seed: int) -> Part:
        """Go on where the history ends, so that no minute is missing in between."""
        missed = max(1, min(60, int((timezone.now() - _newest()) / timedelta(minutes=1))))
        scenario = replace(scenario, start=scenario.start + missed)
        command = [sys.executable, "manage.py", "simulate", "--live", "--seed", str(seed)]
        command += ["--since", f"{missed}m", "--speed", "20", "--scenario", str(scenario)]
        command += ["--to-url", settings.GUARDIAN_OWN_ADDRESS]
        return Part("traffic", command, {})


def _newest() -> datetime:
    newest: datetime = MinuteCount.objects.aggregate(newest=Max("minute"))["newest"]
    return newest


def _span(text: str) -> str:
    span_minutes(text)
    return text


def _scenario(text: str) -> Scenario:
    try:
        return read_scenario(text, STARTS)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def _minutes_behind(now: datetime) -> int:
    """Return how many source minutes have not been judged yet."""
    found = frontiers(now)
    first = first_minutes([one.source_id for one in found])
    return sum(
        max(0, int((one.newest - (one.through or first[one.source_id])) / timedelta(minutes=1)))
        for one in found
    )
