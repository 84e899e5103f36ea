"""A number in the address of an admin page that nothing can be is no filter, as a word is none."""

import logging
from collections.abc import Callable

from django.contrib.admin.views.main import ERROR_FLAG
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from guardian_site.plain import plain

logger = logging.getLogger(__name__)


class OddNumbers:
    """Leads back to the page without its filters, as the admin itself does from a word.

    Whether a number fits into a column, or is a year of the calendar, the admin leaves to the
    database, which some pages ask only while they are written: so it is too late to refuse it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponseRedirect | None:
        match = request.resolver_match
        of_admin = match is not None and match.namespace == "admin"
        # With the flag it was led back already: then it is no fault of the address.
        asked = request.method in ("GET", "HEAD") and ERROR_FLAG not in request.GET
        if not (of_admin and asked and request.GET and _is_odd_number(exception)):
            return None
        told = (plain(request.path), plain(request.META["QUERY_STRING"]), exception)
        logger.warning("Led back from %s?%s: %s", *told)
        return HttpResponseRedirect(f"{request.path}?{ERROR_FLAG}=1")


def _is_odd_number(exception: Exception) -> bool:
    """Tell whether a number was too large for SQLite or for C, or no year."""
    if isinstance(exception, OverflowError):
        return True
    return isinstance(exception, ValueError) and "out of range" in str(exception)
