"""`manage.py add_person ana --role operator`: an account, or a new role for one that exists."""

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from guardian_site import environment
from guardian_site.access.roles import Role, role_of
from guardian_site.access.services.people import add_person, give_role


class Command(BaseCommand):
    help = "Create an account with a role; the password comes from GUARDIAN_PASSWORD or a prompt."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument(
            "--role",
            choices=[role.value for role in Role],
            help="default viewer for a new account; without it an existing account keeps its role",
        )

    def handle(self, *args: Any, username: str, role: str | None, **options: Any) -> None:
        existing = User.objects.filter(username=username).first()
        if existing is not None:
            self._change(existing, Role(role) if role else None)
        else:
            self._add(username, Role(role) if role else Role.VIEWER)

    def _change(self, user: User, role: Role | None) -> None:
        before = role_of(user)
        if role is None:
            held = f"is {before}" if before else "has no role"
            self.stdout.write(
                f"{user} exists and {held}: nothing was changed. Use --role to change it."
            )
            return
        give_role(user=user, role=role)
        if user.is_superuser and role is not Role.ADMIN:
            self.stdout.write(f"{user} is a superuser and therefore stays admin.")
        elif before is role:
            self.stdout.write(f"{user} is already {role}.")
        else:
            self.stdout.write(f"{user} is now {role} (was {before or 'without a role'}).")

    def _add(self, username: str, role: Role) -> None:
        password = environment.text("GUARDIAN_PASSWORD") or _asked()
        user = User(username=username)
        try:
            user.full_clean(exclude=["password"])
            validate_password(password, user)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        add_person(user=user, password=password, role=role)
        self.stdout.write(f"{username} can now sign in as {role}.")


def _asked() -> str:
    if not sys.stdin.isatty():
        raise CommandError(
            "Set GUARDIAN_PASSWORD (or GUARDIAN_PASSWORD_FILE), or run this in a terminal."
        )
    first = getpass.getpass("Password: ")
    if first != getpass.getpass("Again: "):
        raise CommandError("The passwords do not match.")
    return first
