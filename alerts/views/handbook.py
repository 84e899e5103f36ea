"""The help page: words, levels, families, what to do."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from alerts.messages import say
from alerts.selectors.live import language, level_name
from detection.models import Family, Level


@require_safe
def handbook(request: HttpRequest) -> HttpResponse:
    words = language()
    families = [
        {
            "name": family,
            "title": say(f"family.{family}", words),
            "first": say(f"action.{family}", words),
            "runbook": getattr(settings, "GUARDIAN_RUNBOOKS", {}).get(family, ""),
        }
        for family in Family.values
    ]
    levels = {level: level_name(level) for level in Level.values}
    context = {"here": "help", "families": families, "level_names": levels}
    return render(request, "help.html", context)
