"""The door at which a source says that a minute is complete."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from detection.questions import latest_moment, read_close
from detection.serializers import ClosedMinuteSerializer, CloseSerializer
from detection.services.closing import close_minute, unknown_source
from ingest import steady_clock
from ingest.authentication import seen_sources
from ingest.views import ReportingView, holder


class CloseMinuteView(ReportingView):
    @extend_schema(
        operation_id="close_minute",
        tags=["Transactions"],
        summary="Declare a minute complete, even if it is empty",
        request=CloseSerializer,
        responses=ClosedMinuteSerializer,
    )
    def post(self, request: Request) -> Response:
        now = steady_clock.now()
        key = holder(request)
        own = key.source_name if key else None
        asked, seen = self.body(request), seen_sources(request)
        source, minute = read_close(asked, own, latest_moment(now), seen)
        if source is None:
            return Response(unknown_source(minute))
        return Response(close_minute(source=source, minute=minute, now=now))
