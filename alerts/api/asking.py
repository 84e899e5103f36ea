"""Who asks, and for what period."""

from datetime import datetime

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from alerts.selectors.visibility import seen_by as only_seen
from alerts.views.access import seen_sources
from ingest.models import Source
from ingest.parsing.moment_field import MomentField

EARLIEST, LATEST = 1970, 2999

__all__ = ["actor_of", "moment", "seen_by", "source_name", "whole"]


def actor_of(request: Request) -> str:
    """Return the name under which an act is kept: a person's, or a key's."""
    name = getattr(request.auth, "name", None)
    if name is not None:
        return f"key {name}"
    return str(request.user.get_username())


def seen_by(request: Request) -> frozenset[int] | None:
    """Return the ids of the sources that the caller may see; None is all of them."""
    return seen_sources(request._request)


def source_name(request: Request) -> str:
    """Return the name in the query, of a source that the caller may see; empty if none is sent."""
    name: str = request.query_params.get("source", "")
    if name and not only_seen(Source.objects.filter(name=name), seen_by(request), "pk").exists():
        raise ValidationError({"source": f"There is no source “{name}”."})
    return name


def moment(request: Request, name: str) -> datetime | None:
    """Return a query parameter as a moment, read as in any filter; None if it is not sent."""
    text = request.query_params.get(name, "")
    if not text:
        return None
    try:
        found = MomentField().to_internal_value(text)
    except ValidationError:
        found = None
    # No one counted payments before 1970.
    if found is None or not EARLIEST <= found.year <= LATEST:
        raise ValidationError({name: "Write a time such as 2026-03-02T12:00:00Z."})
    return found


def whole(request: Request, name: str, default: int, most: int) -> int:
    """Return a query parameter as a whole number from 1 to `most`."""
    text = request.query_params.get(name, str(default))
    if len(text) > 9 or not text.isascii() or not text.isdigit() or not 1 <= int(text) <= most:
        raise ValidationError({name: f"Write a whole number from 1 to {most}."})
    return int(text)
