from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from alerts import services
from alerts.admin.reading import moment
from alerts.admin.weekdays import WithWeekdays
from alerts.admin.zones import AtHome
from alerts.models import MaintenanceWindow, Silence
from ingest import steady_clock
from ingest.admin.by_source import BY_SOURCE, BySource
from ingest.admin.moments import InCalendar


class Signed(BySource, InCalendar, ModelAdmin):
    """Rows that keep the name of the person who made them."""

    autocomplete_fields = ("source",)
    list_select_related = ("source",)
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
        "number",
        "shown_state",
        "source",
        "family",
        "level",
        moment("starts"),
        moment("ends"),
        "created_by",
        "reason",
    )
    list_filter = ("family", BY_SOURCE)
    search_fields = ("reason", "created_by", "source__name")
    date_hierarchy = "starts"
    actions = ("end_now",)

    @display(description="silence", ordering="pk")
    def number(self, silence: Silence) -> str:
        return f"#{silence.pk}"

    @display(description="state", label={"active": "warning", "ended": "info", "upcoming": "info"})
    def shown_state(self, silence: Silence) -> str:
        now = steady_clock.now()
        if silence.ends <= now:
            return "ended"
        return "active" if silence.starts <= now else "upcoming"

    @admin.action(description="End now", permissions=["change"])
    def end_now(self, request: HttpRequest, chosen: QuerySet[Silence]) -> None:
        for silence in chosen:
            actor = request.user.get_username()
            services.end_silence(silence_id=silence.pk, actor=actor, now=steady_clock.now())
        self.message_user(request, _("Ended: notifications for what is still ongoing go out now."))


@admin.register(MaintenanceWindow)
class MaintenanceWindowAdmin(WithWeekdays, Signed, AtHome):
    weekdays_help = "For “on chosen weekdays”."
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
    list_filter = ("every", "family", BY_SOURCE)
    search_fields = ("name", "reason", "source__name")
