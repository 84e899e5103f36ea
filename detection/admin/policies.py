from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from detection.models import Policy, SpecialDay
from detection.selectors.declarations import forget_declarations
from ingest.admin.by_source import BY_SOURCE, BySource
from ingest.admin.moments import InCalendar
from ingest.admin.written_json import ReadsJSON


class Declared(ModelAdmin):
    """For what people declare: it holds in this process at once, in others within seconds."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        forget_declarations()

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        super().delete_model(request, obj)
        forget_declarations()


@admin.register(Policy)
class PolicyAdmin(ReadsJSON, Declared):
    list_display = (
        "__str__",
        "pages_per_week",
        "weight_ml",
        "weight_z",
        "minimum_excess",
        "minimum_relative_change",
        "updated",
    )
    search_fields = ("source__name",)
    autocomplete_fields = ("source",)
    list_select_related = ("source",)
    fieldsets = (
        (None, {"fields": ("source",)}),
        (
            "How much is too much",
            {
                "fields": ("pages_per_week", "minimum_excess", "minimum_relative_change"),
            },
        ),
        ("How the score is made", {"fields": ("weight_ml", "weight_z")}),
        ("What is watched", {"fields": ("families_off", "rules")}),
    )


@admin.register(SpecialDay)
class SpecialDayAdmin(BySource, InCalendar, Declared):
    list_display = ("name", "kind", "source", "starts", "ends", "factor", "brought_by")
    readonly_fields = ("brought_by",)
    list_filter = ("kind", BY_SOURCE)
    search_fields = ("name", "source__name")
    autocomplete_fields = ("source",)
    date_hierarchy = "starts"
    list_select_related = ("source",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if form.has_changed():
            # What people have said stays, whatever a file says of it later.
            obj.brought_by = ""
        super().save_model(request, obj, form, change)
