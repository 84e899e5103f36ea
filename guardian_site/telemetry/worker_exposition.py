"""The metrics of a container without a web server: workers and beat, on a port of their own."""

import logging
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from celery import signals
from django.conf import settings
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from guardian_site.telemetry.exposition import Counted, counted_by_all_processes

logger = logging.getLogger(__name__)


class _Answer(BaseHTTPRequestHandler):
    """`/alive` for the probe, `/metrics` with what the processes of this container counted."""

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


def serve(port: int, host: str = "0.0.0.0") -> ThreadingHTTPServer:
    """Answer on `port` from a thread; 0 takes a free one."""
    server = ThreadingHTTPServer((host, port), _Answer)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server


def serve_where_asked(**_: object) -> None:
    """The metrics of this part can be read, if a port was named for them."""
    port = settings.GUARDIAN_METRICS_PORT
    if port:
        serve(port)
        logger.info("Metrics of this part are on port %d.", port)


def connect() -> None:
    """Have Celery open the port in the parent process of each worker and beat."""
    signals.worker_ready.connect(serve_where_asked, weak=False)
    signals.beat_init.connect(serve_where_asked, weak=False)
