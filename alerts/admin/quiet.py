from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from alerts.models import MaintenanceWindow, Silence


class Signed(ModelAdmin):
    """Who made a row is who is logged in."""

    readonly_fields = ("created_by", "created")

    def save_model(
        self, request: HttpRequest, obj: Any, form: "ModelForm[Any]", change: bool
    ) -> None:
        if not change:
            obj.created_by = request.user.get_username()
        super().save_model(request, obj, form, change)


@admin.register(Silence)
class SilenceAdmin(Signed):
    list_display = (
        "__str__",
        "source",
        "family",
        "level",
        "starts",
        "ends",
        "created_by",
        "reason",
    )
    list_filter = ("family", "source")
    search_fields = ("reason", "created_by", "source__name")
    date_hierarchy = "starts"


@admin.register(MaintenanceWindow)
class MaintenanceWindowAdmin(Signed):
    list_display = (
        "name",
        "source",
        "family",
        "every",
        "first_day",
        "start_time",
        "minutes",
        "time_zone",
    )
    list_filter = ("every", "family", "source")
    search_fields = ("name", "reason", "source__name")
