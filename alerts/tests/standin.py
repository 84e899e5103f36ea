"""A vendor on this machine: records what it is asked and answers as it is told to."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

HANG_SECONDS = 30.0


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return {key: values[0] for key, values in parse_qs(self.body.decode()).items()}


@dataclass(frozen=True)
class Answer:
    """What to answer: `hang` waits, `cut` closes the connection without a word."""

    status: int = 200
    body: Any = "ok"
    headers: dict[str, str] = field(default_factory=dict)
    hang: bool = False
    cut: bool = False

    @property
    def content(self) -> bytes:
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return text.encode()


class StandIn:
    """Answers in turn from `answers`; when they run out, with `usual`."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: list[Answer] = []
        self.usual: Answer | Callable[[Asked], Answer] = Answer()
        self.released = threading.Event()
        self._lock = threading.Lock()
        self.url = ""

    def take(self, asked: Asked) -> Answer:
        with self._lock:
            self.asked.append(asked)
            if self.answers:
                return self.answers.pop(0)
        return self.usual(asked) if callable(self.usual) else self.usual

    @property
    def texts(self) -> list[str]:
        return [asked.json.get("text", "") for asked in self.asked]


def _handler(standin: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            asked = Asked(
                self.command, self.path, dict(self.headers.items()), self.rfile.read(length)
            )
            answer = standin.take(asked)
            if answer.hang:
                standin.released.wait(HANG_SECONDS)
            if answer.hang or answer.cut:
                self.close_connection = True
                return
            # Who asked may have been killed meanwhile.
            with suppress(BrokenPipeError, ConnectionResetError):
                self._write(answer)

        def _write(self, answer: Answer) -> None:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = do_PUT = do_DELETE = _answer

        def log_message(self, format: str, *args: Any) -> None:
            """Keep the tests' output to the tests."""

    return Handler


@contextmanager
def stand_in() -> Iterator[StandIn]:
    """Run a stand-in on a free port of the loopback address."""
    found = StandIn()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(found))
    server.daemon_threads = True
    found.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.released.set()
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


def wait_for(condition: Callable[[], bool], seconds: float = 10.0, pause: float = 0.01) -> bool:
    """Wait until the condition holds; False if it never does."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(pause)
    return condition()
