"""The least that Django can do: a view that answers a constant, on the same server."""

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path

# A test run that looks for examples in here has settings of its own.
if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["*"],
        ROOT_URLCONF=__name__,
        MIDDLEWARE=[],
        SECRET_KEY="a benchmark that keeps no secret",
        USE_TZ=True,
    )


def bare(request: HttpRequest) -> HttpResponse:
    """Read the body and answer a constant."""
    assert request.body
    return HttpResponse(b'{"is_anomaly": false}', content_type="application/json")


urlpatterns = [path("transaction", bare)]
application = get_wsgi_application()
