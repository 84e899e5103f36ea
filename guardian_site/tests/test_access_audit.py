"""The audit log says who changed what, from where, before and after, and only grows."""

import csv
import io
import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from auditlog.models import LogEntry
from django.conf import settings as site
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django import Settings

from alerts.models import Channel, Silence
from detection.models import Policy
from guardian_site.tests.people import make_person, token_client
from ingest.models import ApiKey, Source

pytestmark = pytest.mark.django_db


def entry_of(model: str) -> LogEntry:
    return LogEntry.objects.filter(content_type__model=model).latest("id")


def browser(role: str) -> Client:
    client = Client(REMOTE_ADDR="192.0.2.7")
    client.force_login(make_person(role), backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_a_change_in_the_admin_names_the_person_the_address_before_and_after() -> None:
    Source.objects.create(name="acquirer", title="Old")
    source = Source.objects.get()
    form = {"name": "acquirer", "title": "New", "time_zone": "UTC", "enabled": "on"}
    form |= {"api_keys-TOTAL_FORMS": "0", "api_keys-INITIAL_FORMS": "0"}
    answer = browser("admin").post(f"/admin/ingest/source/{source.pk}/change/", form)
    assert answer.status_code == 302, answer.content
    entry = entry_of("source")
    assert entry.actor is not None
    assert entry.actor.username == "the-admin"
    assert entry.remote_addr == "192.0.2.7"
    assert entry.changes["title"] == ["Old", "New"]


def test_a_second_factor_that_is_given_or_taken_is_audited_and_its_key_is_not() -> None:
    phone = TOTPDevice.objects.create(user=make_person("viewer"), name="phone", key="ab" * 20)
    given = entry_of("totpdevice")
    assert given.object_repr == "phone (the-viewer)"
    assert given.changes["key"][1] == "(hidden)"
    phone.set_last_used_timestamp()
    assert entry_of("totpdevice") == given
    answer = browser("admin").post(
        f"/admin/otp_totp/totpdevice/{phone.pk}/delete/", {"post": "yes"}
    )
    assert answer.status_code == 302
    taken = entry_of("totpdevice")
    assert (str(taken.actor), taken.get_action_display()) == ("the-admin", "delete")
    assert "ab" * 20 not in json.dumps(taken.changes)


def test_a_change_by_token_names_the_person_who_signed_in() -> None:
    admin = token_client("admin")
    admin.post("/auth/api-keys", {"name": "k"}, content_type="application/json")
    entry = entry_of("apikey")
    assert entry.additional_data == {"by": "the-admin", "via": "POST /auth/api-keys"}


def test_a_change_by_key_names_the_key() -> None:
    from ingest.services.keys import issue_key

    key, secret = issue_key(name="robot", scopes=["admin"])
    Client(headers={"X-API-Key": secret}).delete(f"/auth/api-keys/{key.pk}")
    entry = entry_of("apikey")
    assert entry.additional_data["by"] == f"robot ({key.prefix}…)"
    assert entry.actor is None


@pytest.mark.parametrize("proxies", [[], ["192.0.2.7"]])
def test_the_address_is_believed_from_our_proxies_alone(
    proxies: list[str], settings: Settings
) -> None:
    settings.GUARDIAN_TRUSTED_PROXIES = proxies
    admin = token_client("admin")
    admin.post(
        "/auth/api-keys",
        {"name": "k"},
        content_type="application/json",
        REMOTE_ADDR="192.0.2.7",
        headers={"X-Forwarded-For": "198.51.100.9"},
    )
    assert entry_of("apikey").remote_addr == ("198.51.100.9" if proxies else "192.0.2.7")


def test_no_secret_is_ever_written_down() -> None:
    user = make_person()
    user.set_password("another-horse-8")
    user.save()
    channel = Channel.objects.create(
        name="s", kind="slack_webhook", configuration={"url": "https://hooks.example/SECRET"}
    )
    channel.configuration = {"url": "https://hooks.example/OTHERSECRET"}
    channel.save()
    ApiKey.objects.create(name="k", prefix="tg_1", secret_hash="HASHOFSECRET")
    written = json.dumps(list(LogEntry.objects.values("changes", "serialized_data")))
    assert "SECRET" not in written
    assert user.password not in written
    assert user.password[-12:] not in written
    assert "(hidden)" in written


def test_policies_and_silences_are_audited() -> None:
    policy = Policy.objects.create(pages_per_week=1)
    policy.pages_per_week = 2
    policy.save()
    assert entry_of("policy").changes["pages_per_week"] == ["1.0", "2"]
    silence = Silence.objects.create(ends=timezone.now() + timedelta(hours=1))
    silence.delete()
    assert entry_of("silence").action == LogEntry.Action.DELETE


def _entry() -> LogEntry:
    Source.objects.create(name="acquirer")
    return entry_of("source")


def test_an_entry_can_be_neither_changed_nor_deleted_in_django() -> None:
    entry = _entry()
    entry.object_repr = "somebody else"
    with pytest.raises(PermissionDenied):
        entry.save()
    with pytest.raises(PermissionDenied), transaction.atomic():
        entry.delete()
    with pytest.raises(PermissionDenied), transaction.atomic():
        LogEntry.objects.all().delete()


def test_the_database_itself_refuses_to_change_an_entry() -> None:
    entry = _entry()
    with pytest.raises(DatabaseError, match="only grows"), transaction.atomic():
        LogEntry.objects.filter(pk=entry.pk).update(object_repr="somebody else")


@pytest.mark.parametrize("role", ["viewer", "operator", "admin"])
def test_nobody_may_touch_it_in_the_admin(role: str) -> None:
    entry = _entry()
    client = browser(role)
    listed = client.get("/admin/auditlog/logentry/").status_code
    assert listed == (200 if role == "admin" else 403)
    assert client.post(f"/admin/auditlog/logentry/{entry.pk}/delete/").status_code == 403
    assert client.post("/admin/auditlog/logentry/add/").status_code == 403


def export(tmp_path: Path, **options: Any) -> str:
    target = tmp_path / "audit"
    call_command("export_audit", output=target, **options)
    return target.read_text(encoding="utf-8")


def test_the_export_holds_no_formula(tmp_path: Path) -> None:
    Source.objects.create(name="acquirer", title="=HYPERLINK(0)")
    rows = list(csv.DictReader(io.StringIO(export(tmp_path, format="csv"))))
    assert rows[-1]["object"] == "'=HYPERLINK(0)"
    assert all(not (value or "").startswith(("=", "+", "-", "@")) for value in rows[-1].values())


def test_the_export_as_json_keeps_before_and_after(tmp_path: Path) -> None:
    source = Source.objects.create(name="acquirer", title="Old")
    source.title = "New"
    source.save()
    last = json.loads(export(tmp_path, format="jsonl").splitlines()[-1])
    assert last["changes"] == {"title": ["Old", "New"]}


def test_the_export_begins_where_it_is_told(tmp_path: Path) -> None:
    _entry()
    tomorrow = (timezone.now() + timedelta(days=1)).date().isoformat()
    assert export(tmp_path, since=tomorrow, format="jsonl") == ""
    with pytest.raises(CommandError, match="2026-01-31"):
        export(tmp_path, since="yesterday")


def test_the_export_refuses_a_file_that_it_cannot_write(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        export(tmp_path / "none")


@pytest.mark.postgres
def test_on_postgresql_the_database_refuses_to_delete_an_entry_too(
    postgres_url: str, tmp_path: Path
) -> None:
    environment = {
        **os.environ,
        "DATABASE_URL": postgres_url,
        "GUARDIAN_WEB_WORKERS": "1",
        "GUARDIAN_DATA_DIR": str(tmp_path),
    }
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=site.BASE_DIR, env=environment, check=True)
    with psycopg.connect(postgres_url, autocommit=True) as database:
        database.execute(
            "INSERT INTO auditlog_logentry (content_type_id, object_pk, object_repr, action,"
            " changes_text, timestamp)"
            " SELECT min(id), '1', 'acquirer', 0, '', now() FROM django_content_type"
        )
        for statement in (
            "DELETE FROM auditlog_logentry",
            "UPDATE auditlog_logentry SET object_repr = 'somebody else'",
        ):
            with pytest.raises(psycopg.Error, match="only grows"):
                database.execute(statement)
        assert database.execute("SELECT count(*) FROM auditlog_logentry").fetchone() == (1,)
