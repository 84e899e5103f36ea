"""A collector on this machine that takes spans as OTLP over HTTP sends them."""

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from alerts.tests.standin import StandIn, stand_in


@dataclass(frozen=True)
class Span:
    """One span as it arrived."""

    name: str
    trace: str
    id: str
    parent: str
    links: tuple[str, ...]
    told: dict[str, Any]
    service: str


class Collector:
    """What has arrived so far."""

    def __init__(self, vendor: StandIn) -> None:
        self._vendor = vendor
        self.url = vendor.url

    @property
    def paths(self) -> set[str]:
        return {asked.path for asked in self._vendor.asked}

    @property
    def shown(self) -> list[dict[str, str]]:
        """The headers of each request."""
        return [asked.headers for asked in self._vendor.asked]

    def spans(self, name: str = "") -> list[Span]:
        """Return all spans, or those of a name."""
        found = [
            span for asked in self._vendor.asked for span in _decoded(asked.headers, asked.body)
        ]
        return [span for span in found if name in ("", span.name)]


def _decoded(headers: dict[str, str], body: bytes) -> Iterator[Span]:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    if headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    for group in ExportTraceServiceRequest.FromString(body).resource_spans:
        service = _values(group.resource.attributes)["service.name"]
        for scope in group.scope_spans:
            for span in scope.spans:
                yield Span(
                    name=span.name,
                    trace=span.trace_id.hex(),
                    id=span.span_id.hex(),
                    parent=span.parent_span_id.hex(),
                    links=tuple(link.span_id.hex() for link in span.links),
                    told=_values(span.attributes),
                    service=service,
                )


def _values(attributes: Any) -> dict[str, Any]:
    return {
        one.key: getattr(one.value, one.value.WhichOneof("value") or "string_value")
        for one in attributes
    }


@contextmanager
def running_collector() -> Iterator[Collector]:
    """Run a collector while the block lasts."""
    with stand_in() as vendor:
        yield Collector(vendor)
