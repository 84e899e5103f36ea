"""The doors through which reports come in."""

from http import HTTPStatus
from typing import Any, ClassVar

import msgspec
from django.db import DatabaseError, IntegrityError, InterfaceError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ingest import metrics
from ingest.assessment import Assess
from ingest.authentication import (
    ApiKeyAuthentication,
    MayAdminister,
    MayReport,
    seen_sources,
)
from ingest.openapi import (
    describe_batch,
    describe_cache_flush,
    describe_cache_stats,
    describe_report,
)
from ingest.parsing.bodies import LARGEST_BODY, cut_short, length_required, too_large, wrong_type
from ingest.postgresql.pool import heal_pool
from ingest.refusals import Refused
from ingest.repeats.answers import forget_all_answers
from ingest.repeats.stats import cache_report
from ingest.services.answering import answer_batch, answer_report
from ingest.services.keys import Authenticated
from ingest.services.sources import forget_sources

RETRY_SECONDS = 2
_HEADER_AT_FAULT: dict[type[Exception], str] = {
    AuthenticationFailed: "X-API-Key",
    NotAuthenticated: "X-API-Key",
}


class AlwaysJSON(BaseContentNegotiation):
    """There is one way in and one way out, so nothing is weighed at every request."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


def _json(body: bytes, status: int = HTTPStatus.OK) -> HttpResponse:
    return HttpResponse(body, content_type="application/json", status=status)


def holder(request: Request) -> Authenticated | None:
    """Return the holder of the key the request came with."""
    return request.auth if isinstance(request.auth, Authenticated) else None


class ReportingView(APIView):
    """What the two doors share: who may enter, how a body is read, how a failure is told."""

    authentication_classes = (ApiKeyAuthentication,)
    permission_classes = (MayReport,)
    parser_classes = (JSONParser,)
    renderer_classes = (JSONRenderer,)
    content_negotiation_class = AlwaysJSON
    assess: ClassVar[Assess | None] = None

    def initialize_request(self, request: HttpRequest, *_args: Any, **_fields: Any) -> Request:
        """No parser of DRF looks at the body and nothing is negotiated, so neither is prepared."""
        made = Request(
            request,
            authenticators=self.get_authenticators(),
            negotiator=self.get_content_negotiator(),
        )
        # It would hold itself, and lie in memory with all it read until garbage is collected.
        made.parser_context = {}
        return made

    # DRF types this for its own Response; an answer in bytes has nothing to be rendered.
    def finalize_response(  # type: ignore[override]
        self, request: Request, response: HttpResponseBase, *args: Any, **fields: Any
    ) -> HttpResponseBase:
        if isinstance(response, Response):
            self.headers = super().default_response_headers
            return super().finalize_response(request, response, *args, **fields)
        return response

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Return none: DRF works them out at each request, and only its refusals carry them."""
        return {}

    def body(self, request: Request) -> bytes:
        """Return the bytes sent, bounded; the typed reader takes them as they are."""
        sent = request._request
        length = int(sent.META.get("CONTENT_LENGTH") or 0)
        if not length and "HTTP_TRANSFER_ENCODING" in sent.META:
            raise length_required()
        if length and sent.content_type != "application/json":
            raise wrong_type(sent.content_type or "")
        if length > LARGEST_BODY:
            raise too_large()
        body: bytes = sent.read(LARGEST_BODY + 1)
        if len(body) > LARGEST_BODY:
            raise too_large()
        if len(body) < length:
            raise cut_short(len(body), length)
        return body

    def judge(self) -> Assess:
        """Return whoever judges, given in the URL configuration."""
        if self.assess is None:
            raise TypeError("as_view() needs assess=...")
        return self.assess

    def initial(self, request: Request, *_args: Any, **_fields: Any) -> None:
        """Let in who may; there is nothing to negotiate, no version and no throttle here."""
        self.perform_authentication(request)
        self.check_permissions(request)

    # DRF types this as its own Response; what it needs is any response of Django.
    def handle_exception(self, exc: Exception) -> HttpResponseBase:  # type: ignore[override]
        if isinstance(exc, Refused):
            metrics.reports.labels("refused").inc()
            return _json(msgspec.json.encode(exc.body()), exc.status)
        if isinstance(exc, (DatabaseError, InterfaceError)):
            if isinstance(exc, IntegrityError):
                # A remembered source was deleted meanwhile; the next attempt finds or makes it.
                forget_sources()
            metrics.reports.labels("unavailable").inc()
            heal_pool()
            return unavailable()
        response: HttpResponseBase = super().handle_exception(exc)
        header = _HEADER_AT_FAULT.get(type(exc))
        if header is not None and isinstance(response, Response):
            message = str(response.data["detail"])
            response.data["errors"] = [{"field": header, "message": message}]
        return response


def unavailable() -> HttpResponse:
    """Return the answer while the database is away: nothing was promised, send it again."""
    response = _json(
        msgspec.json.encode({"detail": "The database is not available; send this again."}),
        HTTPStatus.SERVICE_UNAVAILABLE,
    )
    response["Retry-After"] = str(RETRY_SECONDS)
    return response


class TransactionView(ReportingView):
    @describe_report
    def post(self, request: Request) -> HttpResponse:
        answer = answer_report(
            body=self.body(request),
            holder=holder(request),
            assess=self.judge(),
            seen=seen_sources(request),
        )
        return _json(answer)


class BatchView(ReportingView):
    @describe_batch
    def post(self, request: Request) -> HttpResponse:
        body = self.body(request)
        metrics.batch_bytes.observe(len(body))
        answer = answer_batch(
            body=body,
            holder=holder(request),
            assess=self.judge(),
            seen=seen_sources(request),
        )
        return _json(answer)


class CacheStatsView(APIView):
    @describe_cache_stats
    def get(self, request: Request) -> Response:
        return Response(cache_report())


class CacheFlushView(APIView):
    authentication_classes = (ApiKeyAuthentication, SessionAuthentication)
    permission_classes = (MayAdminister,)

    @describe_cache_flush
    def delete(self, request: Request) -> Response:
        forget_all_answers()
        return Response({"message": "All cached answers were cleared."})
