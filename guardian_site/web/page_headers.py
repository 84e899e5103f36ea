"""Headers that tell browsers, and caches on the way, what our pages never do."""

from collections.abc import Callable

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.http import HttpRequest, HttpResponse

# The admin's theme and the pages of the API description bring scripts that sit in the page or
# build code from strings. They may do so, and nothing else that the strict line forbids.
LOOSER = ("/admin", "/docs", "/redoc")
LOOSER_LINE = {
    "script-src": [SELF, UNSAFE_INLINE, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    "worker-src": [SELF, "blob:"],
}
NEVER_ASKED = "accelerometer=(), camera=(), geolocation=(), gyroscope=(), microphone=(), payment=()"


class PageHeaders:
    """Loosens the content policy where it must be, asks for no device, is kept by no cache."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path.startswith(LOOSER):
            response._csp_replace = LOOSER_LINE  # type: ignore[attr-defined]
        response["Permissions-Policy"] = NEVER_ASKED
        if not response.has_header("Cache-Control"):
            # Caches on the way do not know X-API-Key: some would give the answer to anybody.
            response["Cache-Control"] = "no-cache, private"
        return response
