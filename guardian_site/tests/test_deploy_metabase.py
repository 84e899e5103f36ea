"""The set-up of Metabase against a stand-in that keeps what it is told, as Metabase's API does."""

import json
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest

from deploy.metabase.questions import CARDS
from deploy.metabase.setup import Wishes, add_database, add_questions, sign_in

WISHES = Wishes("http://metabase", "admin@example.com", "long enough 7a", "reader's")


class Metabase:
    """Answers the calls of the set-up and remembers what came of them."""

    def __init__(self) -> None:
        self.users: list[str] = []
        self.made: dict[str, list[dict[str, Any]]] = {"database": [], "card": [], "dashboard": []}
        self.dashcards: list[dict[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/api/")
        body = json.loads(request.content or b"{}")
        if path == "session/properties":
            told = {"has-user-setup": bool(self.users), "setup-token": "once"}
            return httpx.Response(200, json=told)
        if path in ("setup", "session"):
            return self._sign_in(path, body)
        if request.headers.get("X-Metabase-Session") != "me":
            return httpx.Response(401)
        kind, _, number = path.partition("/")
        if request.method == "PUT":
            self.dashcards = body["dashcards"]
            return httpx.Response(200, json={"id": int(number)})
        if request.method == "POST":
            self.made[kind].append({**body, "id": len(self.made[kind]) + 1})
            return httpx.Response(200, json=self.made[kind][-1])
        found = self.made[kind]
        return httpx.Response(200, json={"data": found} if kind == "database" else found)

    def _sign_in(self, path: str, body: dict[str, Any]) -> httpx.Response:
        if path == "setup":
            if self.users or body["token"] != "once":
                return httpx.Response(403)
            self.users.append(body["user"]["email"])
        return httpx.Response(200, json={"id": "me"})


def _set_up(metabase: Metabase) -> int:
    with httpx.Client(
        base_url=WISHES.url, transport=httpx.MockTransport(metabase.__call__)
    ) as client:
        sign_in(client, WISHES)
        return add_questions(client, add_database(client, WISHES))


def test_the_first_time_it_makes_all_of_it() -> None:
    metabase = Metabase()
    assert _set_up(metabase) == len(CARDS)
    assert metabase.users == ["admin@example.com"]
    assert {card["name"] for card in metabase.made["card"]} == {card.name for card in CARDS}
    assert [one["card_id"] for one in metabase.dashcards] == list(range(1, len(CARDS) + 1))


def test_again_it_changes_nothing() -> None:
    metabase = Metabase()
    _set_up(metabase)
    assert _set_up(metabase) == 0
    assert len(metabase.made["card"]) == len(CARDS)
    assert len(metabase.made["database"]) == len(metabase.made["dashboard"]) == 1


def test_it_reads_as_the_user_who_may_only_look() -> None:
    metabase = Metabase()
    _set_up(metabase)
    details = metabase.made["database"][0]["details"]
    assert details["user"] == "guardian_reader"
    assert details["schema-filters-patterns"] == "reporting"


def test_cards_do_not_lie_on_one_another() -> None:
    metabase = Metabase()
    _set_up(metabase)
    assert len({(one["row"], one["col"]) for one in metabase.dashcards}) == len(CARDS)


@pytest.mark.postgres
@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_the_question_is_answered_by_postgresql(reporting_url: str, card: Any) -> None:
    with psycopg.connect(reporting_url) as connection:
        connection.execute("SET ROLE guardian_reader")
        connection.execute(card.sql.encode())


ONE_AN_HOUR = """
    DELETE FROM ingest_minutecount;
    WITH there AS (
      INSERT INTO ingest_source (name, title, time_zone, enabled, created)
      VALUES ('tokyo', '', 'Asia/Tokyo', true, now()) RETURNING id
    )
    INSERT INTO ingest_minutecount (source_id, minute, status, auth_code, count)
    SELECT id, hour, 'approved', '00', 1
    FROM there, generate_series(now() - interval '100 days', now(), interval '1 hour') AS hour
"""


@pytest.mark.postgres
def test_a_day_is_whole_and_by_the_clock_of_the_source(reporting_url: str) -> None:
    with psycopg.connect(reporting_url) as connection:
        connection.execute(ONE_AN_HOUR)
        found = connection.execute(CARDS[0].sql.encode()).fetchall()
        today = connection.execute("SELECT (now() AT TIME ZONE 'Asia/Tokyo')::date").fetchone()
        connection.rollback()
    assert today is not None
    assert found[-1][0] == today[0] - timedelta(days=1)
    assert [int(row[1]) for row in found] == [24] * 90
