"""The metrics of a container without a web server: workers and beat, on a port of their own."""

import logging
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from celery import signals
from django.conf import settings
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from guardian_site.telemetry.exposition import Counted, counted_by_all_processes

logger = logging.getLogger(__name__)


class _Answer(BaseHTTPRequestHandler):
    """`/alive` for the probe, `/metrics` with what the processes of this container counted."""

    # Without it a client that connects and sends nothing would hold a thread for ever [s].
    timeout = 10

    def do_GET(self) -> None:
        if self.path == "/alive":
            self._send(200, "text/plain", b"alive\n")
        elif self.path == "/metrics":
            registry = CollectorRegistry()
            registry.register(Counted(counted_by_all_processes()))
            self._send(200, CONTENT_TYPE_LATEST, generate_latest(registry))
        else:
            self._send(404, "text/plain", b"not here\n")

    def _send(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a probe every few seconds is no news."""


class _Server(ThreadingHTTPServer):
    def __init__(self, host: str, port: int) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Answer)


def serve(port: int, host: str) -> ThreadingHTTPServer:
    """Answer on `port` from a thread; 0 takes a free one."""
    server = _Server(host, port)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server


def serve_where_asked() -> None:
    """The metrics of this part can be read, if GUARDIAN_METRICS_PORT is set.

    Raises
    ------
    OSError
        If it cannot be listened on.
    """
    port = settings.GUARDIAN_METRICS_PORT
    if port:
        # On the address of the site, not wider: metrics name sources and show internals.
        serve(port, settings.GUARDIAN_HOST)
        logger.info("Metrics of this part are on port %d.", port)


def _serve_or_say_why_not(**_: object) -> None:
    try:
        serve_where_asked()
    except OSError as error:
        port = settings.GUARDIAN_METRICS_PORT
        logger.error("GUARDIAN_METRICS_PORT=%d: %s. Nobody reads here.", port, error.strerror)


def connect() -> None:
    """Have Celery open the port in the parent process of each worker and beat."""
    signals.worker_ready.connect(_serve_or_say_why_not, weak=False)
    signals.beat_init.connect(_serve_or_say_why_not, weak=False)
