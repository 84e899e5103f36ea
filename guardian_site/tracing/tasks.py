"""A span for each task, in the trace of whoever sent it, by Celery's own signals."""

import threading
from typing import Any

from celery import signals
from opentelemetry import context, trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from guardian_site.tracing.provider import W3C, tracer

UID = "guardian.tracing"
FIELDS = ("traceparent", "tracestate")
# A stack of spans: a task that runs within another one (in tests) ends first.
_running = threading.local()


def connect() -> None:
    """Tasks are followed from now on."""
    signals.before_task_publish.connect(_sent, dispatch_uid=UID)
    signals.task_prerun.connect(_begun, dispatch_uid=UID)
    signals.task_failure.connect(_failed, dispatch_uid=UID)
    signals.task_postrun.connect(_ended, dispatch_uid=UID)


def disconnect() -> None:
    """Nobody follows tasks any more."""
    for signal in (
        *(signals.before_task_publish, signals.task_prerun),
        *(signals.task_failure, signals.task_postrun),
    ):
        signal.disconnect(dispatch_uid=UID)


def _stack() -> list[tuple[trace.Span, Any]]:
    if not hasattr(_running, "spans"):
        _running.spans = []
    spans: list[tuple[trace.Span, Any]] = _running.spans
    return spans


def _sent(headers: dict[str, Any] | None = None, **_: object) -> None:
    if headers is not None:
        W3C.inject(headers)


def _begun(task_id: str = "", task: Any = None, **_: object) -> None:
    # A worker makes headers attributes of the request; a task run at once has them in `headers`.
    headers = task.request.headers or {}
    kept = {name: getattr(task.request, name, None) or headers.get(name) for name in FIELDS}
    span = tracer().start_span(
        f"run {task.name}",
        context=W3C.extract({name: value for name, value in kept.items() if value}),
        kind=SpanKind.CONSUMER,
        attributes={"celery.task": task.name, "celery.task_id": task_id},
    )
    token = context.attach(trace.set_span_in_context(span))
    _stack().append((span, token))


def _failed(exception: BaseException | None = None, **_: object) -> None:
    if exception is not None and (spans := _stack()):
        spans[-1][0].record_exception(exception)


def _ended(state: str | None = None, **_: object) -> None:
    if not (spans := _stack()):
        return
    span, token = spans.pop()
    context.detach(token)
    span.set_attribute("celery.state", str(state))
    if state == "FAILURE":
        span.set_status(Status(StatusCode.ERROR))
    span.end()
