"""While the database is away whoever asks hears that, and when to ask again."""

import psycopg
import pytest
from django.db import InternalError, OperationalError
from django.test import Client
from django.utils import translation

PAGE = {"Accept": "text/html"}
READ_ONLY = InternalError("cannot execute UPDATE in a read-only transaction")
READ_ONLY.__cause__ = psycopg.errors.ReadOnlySqlTransaction()


@pytest.fixture(params=[OperationalError("connection refused"), READ_ONLY])
def client(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Client:
    def gone(*_: object, **__: object) -> None:
        raise request.param

    monkeypatch.setattr("alerts.views.live.asked_view", gone)
    return Client(raise_request_exception=False)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "told"),
    [("en", "The database is not available"), ("pt-br", "O banco de dados não está disponível")],
)
def test_a_page_says_so(client: Client, language: str, told: str) -> None:
    with translation.override(language):
        answer = client.get("/", headers=PAGE)
    assert answer.status_code == 503
    assert told in answer.content.decode()
    assert answer.headers["Retry-After"] == "2"


@pytest.mark.django_db
def test_a_program_is_told_in_the_form_of_a_report(client: Client) -> None:
    answer = client.get("/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert answer.json() == {"detail": "The database is not available; send this again."}
