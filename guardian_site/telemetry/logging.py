"""Log lines for people, or one JSON object each for machines (GUARDIAN_LOG_FORMAT=json)."""

import contextvars
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from celery import current_task

from ingest.plain import plain

# Longer than any line that Guardian itself writes [characters].
LONGEST_LINE = 10_000

# The request being answered in this thread; empty outside of requests.
request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="")

# Further ids of each line: those of its trace, while traces are on.
more_ids: list[Callable[[], dict[str, str]]] = []

# Attributes of every record; all others were added by `extra=` and belong in the line.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def _context() -> dict[str, str]:
    """Return the ids of the request, task and trace in which the line is written."""
    found = {}
    if asked := request_id.get():
        found["request_id"] = asked
    # Outside of tasks `current_task` is a proxy of None, which has no request.
    task = getattr(current_task, "request", None)
    if task is not None and task.id:
        found["task_id"], found["task"] = task.id, task.task
    for ids in more_ids:
        found |= ids()
    return found


class JsonFormatter(logging.Formatter):
    """One object a line: time, level, logger, message, ids, what `extra=` named, the error."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_context(),
        }
        named = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        # Django hands over whole request objects; their ids are in the line already.
        line |= {name: value for name, value in named.items() if _is_plain(value)}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class LineFormatter(logging.Formatter):
    """One line for people; the request's id at its end where there is one.

    Further lines, such as those of a traceback, are indented: libraries log outsiders' text as it
    came, and none of it may look like a line of ours.
    """

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname:<7} {name}: {message}", style="{")

    def format(self, record: logging.LogRecord) -> str:
        first, *more = super().format(record).splitlines() or [""]
        line = "\n    ".join(plain(one, LONGEST_LINE) for one in (first, *more))
        asked = request_id.get()
        return f"{line} [request {asked}]" if asked else line


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, str | int | float | bool | list | dict | tuple)
