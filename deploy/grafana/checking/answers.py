"""Puts a question to Prometheus or PostgreSQL and says what came back."""

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Any

import psycopg

from deploy.grafana.checking.interpolation import Range, UnknownWord, put_in
from deploy.grafana.checking.questions import Question

READER = "guardian_reader"


@dataclass(frozen=True)
class Answer:
    """What a question found.

    Attributes
    ----------
    found : int
        Series or rows.
    value : float or None
        The last value of the first of them; None where there is none or it is no number.
    """

    question: Question
    found: int = 0
    value: float | None = None
    error: str = ""

    @property
    def told(self) -> str:
        """One word for a list: the value, how many, or the error."""
        if self.error:
            return f"ERROR {self.error}"
        if not self.found:
            return "nothing"
        shown = "" if self.value is None else f"{self.value:.6g}"
        return f"{shown} ({self.found})" if self.found > 1 else shown or "1"


class Sources:
    """Prometheus and the database, asked as Grafana asks them."""

    def __init__(self, prometheus: str, database: str) -> None:
        self.prometheus = prometheus
        # The user Grafana signs in as: what it may not read would be missing there, too.
        self.connection = psycopg.connect(database, autocommit=True)
        self.connection.execute(f"SET ROLE {READER}")  # type: ignore[arg-type, unused-ignore]

    def close(self) -> None:
        self.connection.close()

    def ask(self, question: Question, over: Range) -> Answer:
        """Return the answer; what goes wrong is in it."""
        try:
            text = put_in(question.text, over)
            if question.source == "prometheus":
                return self._ask_prometheus(question, text, over)
            return self._ask_database(question, text)
        except (UnknownWord, psycopg.Error, urllib.error.URLError, ValueError) as error:
            return Answer(question, error=" ".join(str(error).split())[:160])

    def _ask_prometheus(self, question: Question, text: str, over: Range) -> Answer:
        asked: dict[str, Any] = {"query": text}
        if question.instant:
            path, asked["time"] = "query", over.until.timestamp()
        else:
            path = "query_range"
            asked |= {"start": over.since.timestamp(), "end": over.until.timestamp()}
            asked["step"] = max(over.step.total_seconds(), over.seconds / 10_000)
        found = get(self.prometheus, path, asked)["result"]
        values = [
            float(one["values"][-1][1] if "values" in one else one["value"][1])
            for one in found
            if isinstance(one, dict)
        ]
        return Answer(question, len(values), values[0] if values else None)

    def _ask_database(self, question: Question, text: str) -> Answer:
        # The text is ours, put together like Grafana's, and there is nothing to bind.
        cursor = self.connection.execute(text.replace("%", "%%").encode(), ())
        names = [column.name for column in cursor.description or ()]
        if question.layout == "time_series" and "time" not in names:
            raise ValueError("a series needs a column named time")
        rows = cursor.fetchall()
        if not rows or (len(rows) == 1 and all(value is None for value in rows[0])):
            return Answer(question)
        numbers = [value for value in rows[-1] if isinstance(value, int | float)]
        numbers += [float(value) for value in rows[-1] if type(value).__name__ == "Decimal"]
        return Answer(question, len(rows), float(numbers[0]) if numbers else None)


def get(prometheus: str, path: str, asked: dict[str, Any]) -> Any:
    """Return the data of Prometheus's answer.

    Raises
    ------
    ValueError
        With what Prometheus says is wrong.
    """
    body = urllib.parse.urlencode(asked, doseq=True).encode()
    try:
        with urllib.request.urlopen(f"{prometheus}/api/v1/{path}", body, timeout=30) as answer:
            return json.load(answer)["data"]
    except urllib.error.HTTPError as error:
        raise ValueError(json.load(error).get("error", str(error))) from None
