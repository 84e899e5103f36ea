from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from alerts.models import Incident
from alerts.selectors.charts import chart_png, proof_of


@never_cache
@require_safe
def incident_picture(request: HttpRequest, pk: int, proof: str) -> HttpResponse:
    """Give the picture to whoever has its address from one of our messages."""
    incident = Incident.objects.filter(pk=pk).first()
    if incident is None or not constant_time_compare(proof, proof_of(pk)):
        raise Http404("There is no such picture.")
    return HttpResponse(chart_png(incident), content_type="image/png")
