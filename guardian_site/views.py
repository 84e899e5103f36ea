"""What probes and scrapers ask.

These views change nothing, so none asks for a CSRF token: another method gets 405, not 403.
"""

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from guardian_site.health import health, takes_writes
from ingest import steady_clock


@csrf_exempt
@never_cache
@require_safe
def health_view(request: HttpRequest) -> JsonResponse:
    body = health(steady_clock.now())
    return JsonResponse(body, status=503 if body["status"] == "unhealthy" else 200)


@csrf_exempt
@never_cache
@require_safe
def live_view(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "alive"})


@csrf_exempt
@never_cache
@require_safe
def ready_view(request: HttpRequest) -> JsonResponse:
    try:
        ready = takes_writes()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM django_migrations LIMIT 1")
    except DatabaseError:
        ready = False
    if not ready:
        return JsonResponse({"status": "not ready", "detail": "database"}, status=503)
    return JsonResponse({"status": "ready"})
