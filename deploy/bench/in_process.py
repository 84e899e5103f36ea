"""A request through the whole application without a socket: what it costs is our own code."""

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Application = Callable[[dict[str, Any], Callable[..., Any]], Any]


@dataclass(frozen=True)
class Answer:
    """What the application said."""

    status: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body, read."""
        return json.loads(self.body)


def ask(
    application: Application, body: bytes = b"", path: str = "/transaction", **environ: Any
) -> Answer:
    """Send a body as a web server hands it over; a variable that is None is left out."""
    told: list[Any] = []
    given = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        **environ,
    }
    request = {name: value for name, value in given.items() if value is not None}
    said = application(request, lambda status, headers: told.extend((status, dict(headers))))
    return Answer(told[0], told[1], b"".join(said))


def post(application: Application, body: bytes, path: str = "/transaction") -> str:
    """Send a body to a door and return the status it was answered with."""
    return ask(application, body, path).status
