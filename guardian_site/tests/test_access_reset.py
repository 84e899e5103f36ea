"""POST /reset clears what was learned and is open, and nothing else."""

from datetime import timedelta
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from alerts.models import Incident
from alerts.tests.makers import open_incident
from detection.models import Baseline
from detection.scoring.state import State
from detection.services.stored_states import state_of
from guardian_site.tests.people import token_client
from ingest.models import ApiKey, Source
from ingest.services.keys import issue_key

pytestmark = pytest.mark.django_db


def reset(client: Client, **body: Any) -> Any:
    return client.post("/reset", body, content_type="application/json")


def learned(name: str) -> Source:
    source = Source.objects.create(name=name)
    state = State.new(1)
    state.minutes[0] = 77
    Baseline.objects.create(
        source=source, state=state.pack()[0], through=timezone.now() - timedelta(minutes=2)
    )
    return source


def known_minutes(source: Source) -> int:
    return int(state_of(Baseline.objects.get(source=source)).minutes[0])


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("operator", 403), ("admin", 200)])
def test_it_is_for_administrators(role: str, status: int) -> None:
    assert reset(token_client(role), confirm="reset").status_code == status


def test_the_unknown_reset_nothing() -> None:
    assert reset(Client(), confirm="reset").status_code == 401


@pytest.mark.parametrize("body", [{}, {"confirm": "yes"}, {"confirm": "reset", "source": "none"}])
def test_without_the_word_nothing_happens(body: dict[str, str]) -> None:
    source = learned("acquirer")
    assert reset(token_client("admin"), **body).status_code == 400
    assert known_minutes(source) == 77


@pytest.mark.parametrize("body", [{}, {"confirm": "yes"}, {"confirm": None}])
def test_who_did_not_write_the_word_is_told_it(body: dict[str, Any]) -> None:
    [error] = reset(token_client("admin"), **body).json()["errors"]
    told = "must be the word “reset”, so that no slip does it"
    assert error == {"field": "confirm", "message": told}


def test_one_source_learns_afresh_and_the_others_do_not() -> None:
    one, other = learned("one"), learned("other")
    body = reset(token_client("admin"), confirm="reset", source="one").json()
    assert body["baselines"] == 1
    assert known_minutes(one) == 0
    assert known_minutes(other) == 77
    assert Baseline.objects.get(source=one).version == 1


def test_open_incidents_are_resolved_by_whom_reset() -> None:
    assert open_incident(source=Source.objects.create(name="acquirer")).state == "open"
    reset(token_client("admin"), confirm="reset")
    incident = Incident.objects.get()
    assert incident.state == "resolved"
    assert incident.resolved_by == "the-admin"


def test_keys_sign_ins_and_limits_outlive_it() -> None:
    issue_key(name="k")
    cache.set("limit", 7)
    admin = token_client("admin")
    reset(admin, confirm="reset")
    assert admin.get("/auth/me").status_code == 200
    assert ApiKey.objects.count() == 1
    assert cache.get("limit") == 7


def test_it_stands_in_the_audit_log() -> None:
    source = learned("acquirer")
    reset(token_client("admin"), confirm="reset")
    entry = LogEntry.objects.get_for_object(source).latest("id")
    assert entry.additional_data["by"] == "the-admin"
    assert "learned state" in entry.changes
