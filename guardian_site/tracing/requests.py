"""A span for each request, and one within it for the verdict."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.urls import Resolver404, resolve
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from guardian_site.tracing.provider import W3C, tracer
from guardian_site.tracing.rows import note_minutes
from ingest.assessment import Assess, Verdict
from ingest.reports import RecordedReport

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
# Asked by machines every few seconds: their traces are of no interest.
QUIET = ("/health", "/metrics", "/static/")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNKNOWN_ROUTE = "unknown"
LEVELS = ("NORMAL", "WARNING", "CRITICAL")


def traced_site(application: Application) -> Application:
    """Return the application with a span around each request, also on the short way in."""

    def traced(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path.startswith(QUIET):
            return application(environ, start_response)
        method = environ["REQUEST_METHOD"]
        method = method if method in METHODS else "_OTHER"
        route = _route(path)
        with tracer().start_as_current_span(
            f"{method} {route}",
            context=W3C.extract(_sent(environ)),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": method, "http.route": route},
        ) as span:
            return application(environ, _noting(span, start_response))

    return traced


def _sent(environ: Mapping[str, Any]) -> dict[str, str]:
    names = {"traceparent": "HTTP_TRACEPARENT", "tracestate": "HTTP_TRACESTATE"}
    return {name: environ[key] for name, key in names.items() if key in environ}


def _route(path: str) -> str:
    """Return the pattern of the route: text of outsiders must not become the name of a span."""
    try:
        return f"/{resolve(path).route}"
    except (Resolver404, ValueError):
        return UNKNOWN_ROUTE


def _noting(span: Span, start_response: Callable[..., Any]) -> Callable[..., Any]:
    def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
        code = int(status.split(" ", 1)[0])
        span.set_attribute("http.response.status_code", code)
        for name, value in headers:
            if name.lower() == "x-request-id":
                span.set_attribute("guardian.request_id", value)
        if code >= 500:
            span.set_status(Status(StatusCode.ERROR))
        return start_response(status, headers, *more)

    return start


def traced_assess(assess: Assess) -> Assess:
    """Return `assess` with a span around it, from which the trace of an anomaly continues."""

    def traced(
        reports: Sequence[RecordedReport], *, complete: bool, brief: bool = False
    ) -> Sequence[Verdict]:
        with tracer().start_as_current_span("assess") as span:
            verdicts = assess(reports, complete=complete, brief=brief)
            if span.is_recording():
                _tell(span, reports, verdicts)
                note_minutes(span, _abnormal(reports, verdicts))
            return verdicts

    return traced


def _tell(span: Span, reports: Sequence[RecordedReport], verdicts: Sequence[Verdict]) -> None:
    span.set_attribute("guardian.reports", len(reports))
    levels = [one.alert_level for one in verdicts]
    span.set_attribute("guardian.level", max(levels, key=LEVELS.index, default="NORMAL"))
    sources = {report.source.name for report in reports}
    if len(sources) == 1:
        span.set_attribute("guardian.source", sources.pop())


def _abnormal(
    reports: Sequence[RecordedReport], verdicts: Sequence[Verdict]
) -> set[tuple[int, int]]:
    """Return source and minute [s since 1970] of each report that is not normal."""
    return {
        (report.source.id, int(report.minute.timestamp()))
        for report, verdict in zip(reports, verdicts, strict=True)
        if verdict.is_anomaly
    }
