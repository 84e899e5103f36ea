"""Set Metabase up once: an administrator, our database, the ready questions on a dashboard.

Run again it adds what is missing and changes nothing else.
"""

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from deploy.metabase.questions import CARDS, QuestionCard
from guardian_site import environment

DATABASE, DASHBOARD = "Guardian", "Transaction Guardian"
READY_SECONDS = 300.0
WIDTH, HEIGHT = 12, 7


@dataclass(frozen=True)
class Wishes:
    """Where Metabase runs, who administers it, and how it reaches the database."""

    url: str
    email: str
    password: str
    reader_password: str
    host: str = "timescaledb"

    @classmethod
    def from_environment(cls) -> "Wishes":
        return cls(
            url=os.environ["METABASE_URL"],
            email=os.environ["METABASE_ADMIN_EMAIL"],
            password=environment.text("METABASE_ADMIN_PASSWORD"),
            reader_password=environment.text("METABASE_READER_PASSWORD"),
        )

    @property
    def database(self) -> dict[str, Any]:
        details = {
            "host": self.host,
            "port": 5432,
            "dbname": "guardian",
            "user": "guardian_reader",
            "password": self.reader_password,
            "ssl": False,
            "schema-filters-type": "inclusion",
            "schema-filters-patterns": "reporting",
        }
        return {"engine": "postgres", "name": DATABASE, "details": details}


def _ask(client: httpx.Client, method: str, path: str, body: object = None) -> Any:
    answer = client.request(method, path, json=body)
    answer.raise_for_status()
    return answer.json() if answer.content else None


def _listed(found: Any) -> list[Mapping[str, Any]]:
    """Return the entries of a list, which some of Metabase's answers wrap in `data`."""
    entries: list[Mapping[str, Any]] = found["data"] if isinstance(found, dict) else found
    return entries


def _named(entries: list[Mapping[str, Any]], name: str) -> int | None:
    return next((int(entry["id"]) for entry in entries if entry["name"] == name), None)


def sign_in(client: httpx.Client, wishes: Wishes) -> None:
    """The client is signed in as the administrator, who is made if Metabase has none."""
    properties = _ask(client, "GET", "/api/session/properties")
    if properties.get("has-user-setup"):
        body: dict[str, Any] = {"username": wishes.email, "password": wishes.password}
        session = _ask(client, "POST", "/api/session", body)
    else:
        user = {
            "email": wishes.email,
            "password": wishes.password,
            "first_name": "Guardian",
            "last_name": "Administrator",
        }
        prefs = {"site_name": DASHBOARD, "allow_tracking": False}
        body = {"token": properties["setup-token"], "user": user, "prefs": prefs}
        session = _ask(client, "POST", "/api/setup", body)
    client.headers["X-Metabase-Session"] = session["id"]


def add_database(client: httpx.Client, wishes: Wishes) -> int:
    """Metabase knows our database; its id is returned."""
    known = _named(_listed(_ask(client, "GET", "/api/database")), DATABASE)
    return known or int(_ask(client, "POST", "/api/database", wishes.database)["id"])


def add_card(client: httpx.Client, card: QuestionCard, database: int) -> int:
    """Make the question; return its id."""
    native = {"query": " ".join(card.sql.split())}
    body = {
        "name": card.name,
        "display": card.display,
        "dataset_query": {"type": "native", "native": native, "database": database},
        "visualization_settings": {},
    }
    return int(_ask(client, "POST", "/api/card", body)["id"])


def add_questions(client: httpx.Client, database: int) -> int:
    """Every ready question is there, and on the dashboard; how many were new is returned."""
    known = _listed(_ask(client, "GET", "/api/card"))
    new = {
        card.name: add_card(client, card, database)
        for card in CARDS
        if _named(known, card.name) is None
    }
    ids = [new.get(card.name) or _named(known, card.name) for card in CARDS]
    boards = _listed(_ask(client, "GET", "/api/dashboard"))
    board = _named(boards, DASHBOARD)
    if board is None:
        board = int(_ask(client, "POST", "/api/dashboard", {"name": DASHBOARD})["id"])
    if new:
        _ask(client, "PUT", f"/api/dashboard/{board}", {"dashcards": _laid_out(ids)})
    return len(new)


def _laid_out(ids: list[int | None]) -> list[dict[str, Any]]:
    return [
        {
            # Metabase gives those with a negative id an id of its own.
            "id": -1 - place,
            "card_id": card,
            "row": place // 2 * HEIGHT,
            "col": place % 2 * WIDTH,
            "size_x": WIDTH,
            "size_y": HEIGHT,
        }
        for place, card in enumerate(ids)
    ]


def wait_until_ready(client: httpx.Client, seconds: float = READY_SECONDS) -> None:
    """Return once Metabase has started.

    Raises
    ------
    TimeoutError
        If it has not in time.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if client.get("/api/health").status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(1)
    raise TimeoutError(f"Metabase did not start within {seconds:.0f} s")


def main() -> int:
    wishes = Wishes.from_environment()
    with httpx.Client(base_url=wishes.url, timeout=30) as client:
        wait_until_ready(client)
        sign_in(client, wishes)
        new = add_questions(client, add_database(client, wishes))
    print(f"Metabase is set up; {new} questions were new.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
