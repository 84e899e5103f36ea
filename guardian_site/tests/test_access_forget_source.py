"""A source that is forgotten leaves nothing but its line in the audit log."""

from io import StringIO

import pytest
from auditlog.models import LogEntry
from django.apps import apps
from django.core.management import CommandError, call_command
from django.test import Client

from alerts.models import Incident
from alerts.tests.makers import open_incident
from ingest.models import MinuteCount, Report, Source, Transaction
from ingest.services.keys import issue_key

pytestmark = pytest.mark.django_db


def fill(name: str) -> Source:
    for number in range(3):
        body = {"status": "approved", "count": 2, "source": name, "id": f"{name}-{number}"}
        body |= {"timestamp": f"2026-11-02T10:0{number}:00Z"}
        assert (
            Client().post("/transaction", body, content_type="application/json").status_code == 200
        )
    Client().post(
        "/transaction",
        {"status": "denied", "source": name, "timestamp": "2026-11-02T10:00:00Z"},
        content_type="application/json",
    )
    source = Source.objects.get(name=name)
    open_incident(source=source)
    issue_key(name="k", source=source)
    return source


def forget(name: str, *, yes: bool) -> str:
    out = StringIO()
    call_command("forget_source", name, yes=yes, stdout=out)
    return out.getvalue()


def rows_left(source_id: int) -> dict[str, int]:
    """Count the rows that still name a source, in every table that can."""
    left = {}
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if field.concrete and field.related_model is Source and field.many_to_one:
                left[model.__name__] = model._default_manager.filter(
                    **{field.name: source_id}
                ).count()
    return {name: count for name, count in left.items() if count}


def test_everything_of_it_is_gone_and_nothing_of_the_others() -> None:
    gone, kept = fill("gone"), fill("kept")
    said = forget("gone", yes=True)
    assert "gone was deleted." in said
    assert rows_left(gone.pk) == {}
    assert not Source.objects.filter(name="gone").exists()
    assert Transaction.objects.filter(source=kept).count() == 3
    assert Report.objects.filter(source=kept).count() == 1
    assert MinuteCount.objects.filter(source=kept).exists()
    assert Incident.objects.filter(source=kept).exists()


def test_without_yes_it_tells_what_would_go() -> None:
    source = fill("kept")
    assert "add --yes" in forget("kept", yes=False)
    assert Report.objects.filter(source=source).exists()


def test_that_it_was_deleted_stays_on_record() -> None:
    fill("gone")
    forget("gone", yes=True)
    entry = LogEntry.objects.filter(object_repr="gone").latest("id")
    assert entry.action == LogEntry.Action.DELETE
    assert "deleted" in entry.changes


def test_a_name_that_is_none_deletes_nothing() -> None:
    with pytest.raises(CommandError, match="unheard-of"):
        forget("unheard-of", yes=True)


def test_it_can_report_again_afterwards_from_nothing() -> None:
    fill("again")
    forget("again", yes=True)
    fill("again")
    assert Transaction.objects.count() == 3
