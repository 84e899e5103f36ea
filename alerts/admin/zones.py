"""Whose clock a new row goes by, until somebody says otherwise."""

from django.conf import settings
from django.http import HttpRequest
from unfold.admin import ModelAdmin


class AtHome(ModelAdmin):
    """A form that begins with the time zone of the site, as sources and Slack's channels do."""

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, str | list[str]]:
        asked = super().get_changeform_initial_data(request)
        return {"time_zone": settings.GUARDIAN_TIME_ZONE, **asked}
