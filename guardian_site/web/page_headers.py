"""Headers that tell browsers and caches what our pages never do."""

from collections.abc import Callable

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.http import HttpRequest, HttpResponse

# The admin's theme and the pages of the API description bring inline scripts, and scripts that
# build code from strings. That much they may, and nothing else that the strict policy forbids.
LOOSER = ("/admin", "/docs", "/redoc")
LOOSER_LINE = {
    "script-src": [SELF, UNSAFE_INLINE, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    "worker-src": [SELF, "blob:"],
}
NEVER_ASKED = "accelerometer=(), camera=(), geolocation=(), gyroscope=(), microphone=(), payment=()"


class PageHeaders:
    """Loosens the content policy where needed, forbids devices and storing in shared caches."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path.startswith(LOOSER):
            response._csp_replace = LOOSER_LINE  # type: ignore[attr-defined]
        response["Permissions-Policy"] = NEVER_ASKED
        if not response.has_header("Cache-Control"):
            # Shared caches do not know X-API-Key: without this header some would keep an answer
            # and give it to anybody.
            response["Cache-Control"] = "no-cache, private"
        return response
