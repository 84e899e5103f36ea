import pytest
from django.test import Client
from django.utils import timezone, translation

from alerts import services
from alerts.models import Incident
from alerts.tests.makers import make_anomaly, make_channel, make_source, open_incident
from alerts.tests.pages import PAGE, signed_in
from alerts.views import handover

pytestmark = pytest.mark.django_db


def shown(client: Client, **query: str) -> str:
    answer = client.get("/reports/handover", query, headers=PAGE)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_quiet_shift_says_so() -> None:
    text = shown(signed_in("viewer"))
    assert "No open incidents." in text
    assert "No notes, silences or maintenance." in text


def test_it_shows_what_is_open_what_was_noted_and_what_holds() -> None:
    make_channel()
    now = timezone.now()
    make_anomaly(minute_at=now.replace(second=0, microsecond=0), detected=now)
    services.absorb_anomalies(now=now)
    incident = services.comment(
        incident_id=1, text="The issuer is called.", actor="bo", via="web", now=now
    ).incident
    services.silence_incident(
        incident_id=incident.pk, minutes=60, actor="bo", via="web", now=timezone.now()
    )
    text = shown(signed_in("viewer"))
    assert "Denials above normal at default" in text
    assert "The issuer is called." in text
    assert "Silence #1 until" in text
    with translation.override("pt-br"):
        text = shown(signed_in("viewer", "bea"))
    assert "Passagem de turno" in text
    assert text.count(f"do incidente #{incident.pk}") == 2
    assert "silence" not in text


def test_of_many_notes_the_newest_are_shown() -> None:
    make_anomaly(minute_at=timezone.now(), detected=timezone.now())
    services.absorb_anomalies(now=timezone.now())
    incident = Incident.objects.get()
    for number in range(32):
        services.comment(
            incident_id=incident.pk,
            text=f"note {number:02}",
            actor="bo",
            via="web",
            now=timezone.now(),
        )
    page = shown(signed_in("viewer")).split("<details>")[0]
    assert "2 earlier notes are on the pages of their incidents." in page
    assert "note 01" not in page
    assert "note 02" in page


def test_programs_get_json_as_before_and_nonsense_is_refused() -> None:
    client = signed_in("viewer")
    assert client.get("/reports/handover", {"hours": "24"}).json()["dead_letters"] == 0
    assert client.get("/reports/handover", {"hours": "no"}).status_code == 400


def test_who_is_not_signed_in_is_asked_to() -> None:
    answer = Client().get("/reports/handover", headers=PAGE)
    assert answer.status_code in (302, 401)
    assert "Handover" not in Client().get("/", headers=PAGE).content.decode()


def test_it_says_that_more_goes_on_than_it_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("shop", "bakery"):
        open_incident(source=make_source(name))
    client = signed_in("viewer")
    assert "Others still ongoing" not in shown(client)
    monkeypatch.setattr(handover, "OPEN_SHOWN", 1)
    assert "Others still ongoing: 1." in shown(client)
