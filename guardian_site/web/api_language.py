"""The API speaks English, whatever the pages speak."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import translation
from rest_framework.views import APIView

from guardian_site.web.problems import wants_html

SPOKEN = "en"


class ApiLanguage:
    """Answers programs in English, where DRF and Django would use the language of the pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with translation.override(translation.get_language()):
            return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, _places: Any, _names: Any
    ) -> HttpResponse | None:
        of_the_api = issubclass(getattr(view, "cls", object), APIView)
        # A browser that asks for a route of the API as a page gets the language of the pages.
        if of_the_api and not wants_html(request):
            translation.activate(SPOKEN)
        return None
