"""An address that is but a slash away leads to the right one, with all that was sent."""

import pytest
from django.test import Client

from ingest.models import MinuteCount

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "path", ["/transaction", "/transactions/batch", "/anomalies", "/metrics/json", "/docs"]
)
def test_it_leads_to_the_address_without(path: str, client: Client) -> None:
    answer = client.get(f"{path}/")
    assert (answer.status_code, answer.headers["Location"]) == (307, path)


def test_it_leads_to_the_address_with_one(client: Client) -> None:
    answer = client.get("/admin?x=1")
    assert (answer.status_code, answer.headers["Location"]) == (307, "/admin/?x=1")


def test_a_report_is_sent_on(client: Client) -> None:
    report = {"status": "approved", "count": 5}
    answer = client.post("/transaction/", report, content_type="application/json", follow=True)
    assert answer.status_code == 200
    assert MinuteCount.objects.get().count == 5


def test_what_is_asked_for_stays(client: Client) -> None:
    answer = client.get("/anomalies/?limit=3&source=caf%C3%A9")
    assert answer.headers["Location"] == "/anomalies?limit=3&source=caf%C3%A9"


def test_what_was_escaped_stays_so(client: Client) -> None:
    answer = client.get("/auth/api-keys/a%3Fb%0D%0Ac/")
    assert answer.headers["Location"] == "/auth/api-keys/a%3Fb%0D%0Ac"


@pytest.mark.parametrize(
    "path", ["/", "//", "/anomalies//", "//evil.example/", "/nothing/", "/nothing"]
)
def test_it_leads_nowhere_else(path: str, client: Client) -> None:
    assert "Location" not in client.get(path).headers
