"""Values that no row can have are dropped from the address of an admin page."""

import logging
from collections.abc import Callable
from typing import Any

from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import DateTimeField, Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from guardian_site.web.problems import bad_request
from ingest.plain import plain

logger = logging.getLogger(__name__)


class OddAddresses:
    """Redirects to the page without such values, as the admin does for a word in place of a number.

    The admin leaves it to the database whether a number fits into its column or is a year of the
    calendar. Some pages query only while they are rendered, when the admin can redirect no more.
    The initial values of a form it hands on unchecked.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, _places: Any, _names: Any
    ) -> HttpResponseRedirect | None:
        match = request.resolver_match
        page = getattr(view, "model_admin", None)
        if page is None or match is None or not str(match.url_name).endswith("_add"):
            return None
        if request.method not in ("GET", "HEAD"):
            return None
        kept = request.GET.copy()
        for name, value in request.GET.items():
            if not _can_be(page.model, name, str(value)):
                del kept[name]
        return None if kept == request.GET else _led_back(request, kept.urlencode())

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        match = request.resolver_match
        of_admin = match is not None and match.namespace == "admin"
        if of_admin and request.method == "POST" and _is_word_for_number(request, exception):
            logger.warning("Refused a form at %s: %s", plain(request.path), plain(exception))
            return bad_request(request, exception)
        # The flag says that we redirected already: then the address is not at fault.
        asked = request.method in ("GET", "HEAD") and ERROR_FLAG not in request.GET
        if not (of_admin and asked and request.GET and _is_odd_number(exception)):
            return None
        return _led_back(request, f"{ERROR_FLAG}=1")


def _led_back(request: HttpRequest, query: str) -> HttpResponseRedirect:
    logger.warning("Led back from %s?%s", plain(request.path), plain(request.META["QUERY_STRING"]))
    return HttpResponseRedirect(f"{request.path}?{query}")


def _can_be(model: type[Model], name: str, value: str) -> bool:
    """Tell whether a form of this model can begin with a value; unknown fields may have any."""
    try:
        field: Any = model._meta.get_field(name)
    except FieldDoesNotExist:
        return True
    if isinstance(field, DateTimeField):
        return False  # a form has a day and a time of day: Django fails at every moment given so
    try:
        for one in value.split(",") if field.many_to_many else [value]:
            (field.target_field if field.is_relation else field).to_python(one or None)
    except (ValidationError, ValueError, AttributeError):
        return False
    return True


def _is_word_for_number(request: HttpRequest, exception: Exception) -> bool:
    """Tell whether a form chose a row by something other than a number.

    Django puts its refusal beside the field, and then fails to render what was chosen.
    """
    if not (isinstance(exception, ValueError) and "expected a number but got" in str(exception)):
        return False
    sent = (one for values in request.POST.lists() for one in values[1])
    return any(str(exception).endswith(f"got {one!r}.") for one in sent)


def _is_odd_number(exception: Exception) -> bool:
    """Tell whether a number was too large for SQLite or for C, or not a valid year."""
    if isinstance(exception, OverflowError):
        return True
    return isinstance(exception, ValueError) and "out of range" in str(exception)
