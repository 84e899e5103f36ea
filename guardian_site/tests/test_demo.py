"""The demo that runs keeps what it has printed, whoever starts another beside it."""

import socket

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from pytest_django import Settings

from guardian_site.management.commands.demo import ADMIN
from ingest.models import MinuteCount

pytestmark = pytest.mark.django_db


def test_a_second_demo_leaves_the_password_of_the_first(settings: Settings) -> None:
    user = get_user_model().objects.create_user(ADMIN, password="printed-by-the-first")
    with socket.create_server(("127.0.0.1", 0)) as first:
        settings.GUARDIAN_PORT = first.getsockname()[1]
        with pytest.raises(CommandError, match="is in use"):
            call_command("demo", skip_checks=True)
    user.refresh_from_db()
    assert user.check_password("printed-by-the-first")
    assert not MinuteCount.objects.exists()
