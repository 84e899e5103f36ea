"""A mail server on this machine: takes mail, or refuses it as it is told to."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class MailBox:
    """What the server took; `refusals` answers a command with another code, or so for one line."""

    port: int = 0
    mails: list[str] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)


def _handler(box: MailBox) -> type[socketserver.StreamRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 mail.example")
            while line := self.rfile.readline().decode().strip():
                word = line.split(":")[0].split()[0].upper()
                if refusal := box.refusals.get(word) or box.refusals.get(line):
                    self._say(refusal)
                elif word == "DATA":
                    self._take()
                elif word == "EHLO":
                    self._say("250-mail.example\r\n250 AUTH PLAIN")
                elif word == "QUIT":
                    self._say("221 bye")
                    return
                else:
                    self._say("235 ok" if word == "AUTH" else "250 ok")

        def _take(self) -> None:
            self._say("354 go on")
            lines = []
            while (line := self.rfile.readline()) != b".\r\n":
                lines.append(line.decode())
            box.mails.append("".join(lines))
            self._say("250 taken")

        def _say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

    return Handler


@contextmanager
def mail_server() -> Iterator[MailBox]:
    """Run a mail server on a free port of the loopback address."""
    box = MailBox()
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _handler(box))
    server.daemon_threads = True
    box.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield box
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)
