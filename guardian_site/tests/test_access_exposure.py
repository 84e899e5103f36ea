"""On loopback it is open and says so; elsewhere it listens only when it is locked."""

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from pytest_django import Settings

from guardian_site import settings_access
from guardian_site.access.checks import (
    no_password_is_published,
    outside_sign_in_is_whole,
    reading_needs_a_sign_in,
    tokens_have_their_own_key,
)
from guardian_site.access.exposure import reasons_not_to_listen, who_may
from guardian_site.access.roles import Role, role_of
from guardian_site.embedded.running import run_guardian
from guardian_site.environment import SettingError
from guardian_site.settings_access import jwt_keys
from guardian_site.tests.people import make_person

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.3.2.1"])
def test_on_this_machine_alone_nothing_is_missing(host: str) -> None:
    assert reasons_not_to_listen(host) == []
    assert "anybody on this machine may read and report" in who_may(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "guardian.example"])
def test_elsewhere_it_wants_a_secret_keys_and_a_password(host: str) -> None:
    missing = " ".join(reasons_not_to_listen(host))
    assert "GUARDIAN_SECRET_KEY" in missing
    assert "GUARDIAN_REQUIRE_API_KEY" in missing
    assert "make admin" in missing


def test_with_all_three_it_listens(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARDIAN_SECRET_KEY", "s" * 40)
    settings.GUARDIAN_REQUIRE_API_KEY = True
    make_person("operator")
    assert len(reasons_not_to_listen("0.0.0.0")) == 1
    make_person("admin")
    assert reasons_not_to_listen("0.0.0.0") == []
    assert who_may("0.0.0.0").endswith("people with an account, machines with a key")
    settings.DEBUG = True
    assert "GUARDIAN_DEBUG" in " ".join(reasons_not_to_listen("0.0.0.0"))


def test_the_run_command_refuses_and_says_what_to_do(settings: Settings) -> None:
    with pytest.raises(CommandError, match="can be reached from elsewhere") as refusal:
        run_guardian(host="0.0.0.0", port=18_999)
    assert "make admin" in str(refusal.value)


@pytest.mark.parametrize("password", ["guardian_secure_2024", "Cloudwalk2024", "short-7-pass"[:8]])
def test_a_published_or_short_password_is_refused(password: str) -> None:
    with pytest.raises(ValidationError):
        validate_password(password)


def test_a_published_database_password_stops_the_start(settings: Settings) -> None:
    settings.DATABASE_URL = "postgres://guardian:guardian_secure_2024@db/guardian"
    assert [message.id for message in no_password_is_published(None)] == ["guardian.E021"]


def test_a_database_password_with_a_bracket_is_read(settings: Settings) -> None:
    settings.DATABASE_URL = "postgres://guardian:p[ss@db/guardian"
    assert no_password_is_published(None) == []


def test_an_outside_provider_that_is_half_described_stops_the_start(settings: Settings) -> None:
    assert outside_sign_in_is_whole(None) == []
    settings.OIDC_RP_CLIENT_ID = "guardian"
    found = outside_sign_in_is_whole(None)
    assert len(found) == 7
    assert {message.id for message in found} == {"guardian.E022"}
    assert "GUARDIAN_OIDC_TOKEN_URL" in "".join(message.msg for message in found)


def test_a_deployment_is_told_of_shared_keys_and_open_figures(settings: Settings) -> None:
    settings.GUARDIAN_PUBLIC_READ = True
    found = [*tokens_have_their_own_key(None), *reading_needs_a_sign_in(None)]
    assert [message.id for message in found] == ["guardian.W002", "guardian.W003"]


def test_a_signing_key_that_can_be_guessed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARDIAN_JWT_KEYS", "short")
    with pytest.raises(SettingError, match="GUARDIAN_JWT_KEYS"):
        jwt_keys("x" * 40)


def test_without_keys_of_their_own_tokens_are_signed_by_another_key_than_sessions() -> None:
    made = jwt_keys("x" * 40)
    assert made == jwt_keys("x" * 40)
    assert made != ["x" * 40]


def test_without_keys_of_their_own_tokens_of_an_old_secret_key_are_believed_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = jwt_keys("x" * 40)
    monkeypatch.setattr(settings_access, "SECRET_KEY_FALLBACKS", ["x" * 40])
    assert jwt_keys("y" * 40) == [*jwt_keys("y" * 40)[:1], *before]
    assert jwt_keys("y" * 40)[0] not in before


def test_an_account_can_be_made_by_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARDIAN_PASSWORD", "correct-horse-7-battery")
    call_command("add_person", "ana", role="operator")
    user = User.objects.get()
    assert role_of(user) is Role.OPERATOR
    assert user.check_password("correct-horse-7-battery")
    told = StringIO()
    call_command("add_person", "ana", role="viewer", stdout=told)
    assert role_of(User.objects.get()) is Role.VIEWER
    assert told.getvalue() == "ana is now viewer (was operator).\n"


def test_an_account_that_exists_keeps_its_role_unless_another_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GUARDIAN_PASSWORD", "correct-horse-7-battery")
    call_command("add_person", "boss", role="admin")
    told = StringIO()
    call_command("add_person", "boss", stdout=told)
    assert role_of(User.objects.get()) is Role.ADMIN
    assert told.getvalue().startswith("boss exists and is admin: nothing was changed.")


def test_a_new_account_without_a_role_is_a_viewer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARDIAN_PASSWORD", "correct-horse-7-battery")
    call_command("add_person", "ana")
    assert role_of(User.objects.get()) is Role.VIEWER


def test_a_weak_password_makes_no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARDIAN_PASSWORD", "admin123")
    with pytest.raises(CommandError, match="12"):
        call_command("add_person", "ana")
    assert User.objects.count() == 0
