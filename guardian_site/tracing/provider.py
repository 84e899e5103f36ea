"""The one tracer of this process, set up from the standard OTEL_* variables."""

import os
from typing import TYPE_CHECKING

from django.conf import settings

from guardian_site.environment import SettingError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

try:
    from opentelemetry import context, trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ImportError as error:
    raise SettingError(
        "Traces need more libraries: pip install -r requirements-otel.txt, "
        "or leave OTEL_EXPORTER_OTLP_ENDPOINT out."
    ) from error

# Only the ids of the W3C's header: no baggage of outsiders is carried into tasks and rows.
W3C = TraceContextTextMapPropagator()
SERVICE = "transaction-guardian"
PROTOCOL = "http/protobuf"
_provider: "TracerProvider | None" = None


def start() -> None:
    """Spans of this process are sent to the collector from now on, in the background."""
    global _provider
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.util.re import parse_env_headers

    asked = os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") or PROTOCOL
    if asked != PROTOCOL:
        raise SettingError(f"OTEL_EXPORTER_OTLP_PROTOCOL={asked}: only {PROTOCOL} is spoken.")
    os.environ.setdefault("OTEL_SERVICE_NAME", SERVICE)
    resource = Resource.create({"service.version": settings.GUARDIAN_VERSION})
    _provider = TracerProvider(resource=resource)
    headers = parse_env_headers(settings.GUARDIAN_TRACE_HEADERS, liberal=True)
    exporter = OTLPSpanExporter(headers=headers)
    _provider.add_span_processor(BatchSpanProcessor(exporter))


def stop() -> None:
    """The finished spans were sent, and no more are."""
    global _provider
    if _provider is not None:
        _provider.shutdown()
    _provider = None


def tracer() -> trace.Tracer:
    """Return the tracer of this process; before `start` its spans go nowhere."""
    return trace.get_tracer(
        "guardian_site", tracer_provider=_provider or trace.NoOpTracerProvider()
    )


def ids() -> dict[str, str]:
    """Return the ids of the current span, for the log."""
    current = trace.get_current_span().get_span_context()
    if not current.is_valid:
        return {}
    return {
        "trace_id": trace.format_trace_id(current.trace_id),
        "span_id": trace.format_span_id(current.span_id),
    }


def written(span: trace.Span) -> str:
    """Return the span as a W3C traceparent, to be stored; empty if the span is not sampled."""
    if not span.get_span_context().trace_flags.sampled:
        return ""
    carrier: dict[str, str] = {}
    W3C.inject(carrier, context=trace.set_span_in_context(span, context.Context()))
    return carrier.get("traceparent", "")


def read(traceparent: str) -> context.Context:
    """Return the context of a span from its stored traceparent."""
    return W3C.extract({"traceparent": traceparent}, context=context.Context())
