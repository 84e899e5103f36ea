from collections.abc import Callable

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from unfold.decorators import display

from alerts import services
from alerts.admin.reading import ReadOnlyAdmin, ReadOnlyInline, moment
from alerts.lifecycle import IllegalTransition
from alerts.messages.stored import refusal_told
from alerts.models import Incident, IncidentEvent, Notification
from alerts.selectors.live import language
from ingest import steady_clock
from ingest.admin.by_source import BY_SOURCE, BySource

LEVEL_COLOURS = {"CRITICAL": "danger", "WARNING": "warning"}
STATE_COLOURS = {"open": "danger", "acknowledged": "warning", "resolved": "success"}


class TimelineInline(ReadOnlyInline):
    model = IncidentEvent
    fields = ("at", "kind", "who", "via", "why", "state_from", "state_to")
    verbose_name_plural = "timeline"


class MessagesInline(ReadOnlyInline):
    model = Notification
    fields = ("created", "channel", "kind", "state", "sent", "attempts", "reason", "last_error")
    verbose_name_plural = "messages"


@admin.register(Incident)
class IncidentAdmin(BySource, ReadOnlyAdmin):
    list_display = (
        "__str__",
        "shown_level",
        "shown_state",
        moment("onset"),
        moment("resolved"),
        "anomaly_count",
        "excess",
        "acknowledged_by",
        "assigned_to",
        "label",
    )
    list_filter = ("state", "level", "family", "label", "historical", BY_SOURCE)
    search_fields = (
        *("=id", "source__name", "source__title", "auth_code"),
        *("acknowledged_by", "assigned_to"),
    )
    date_hierarchy = "onset"
    list_select_related = ("source",)
    actions = ("acknowledge", "resolve", "false_positive")
    inlines = (TimelineInline, MessagesInline)
    fieldsets = (
        (None, {"fields": ("source", "family", "direction", "level", "state", "label", "parent")}),
        (
            "When",
            {
                "fields": (
                    *("onset", "detected", "opened", "announced", "acknowledged"),
                    *("acknowledged_by", "assigned_to", "mitigated", "resolved", "resolved_by"),
                    *("closed", "reopened", "historical"),
                )
            },
        ),
        (
            "How bad",
            {
                "fields": (
                    *("status", "auth_code", "seen", "expected", "lower", "upper"),
                    *("excess", "excess_low", "excess_high", "peak_score", "anomaly_count"),
                    *("first_anomaly", "last_anomaly", "owner", "recommendation"),
                )
            },
        ),
        ("Who is called next", {"fields": ("step", "step_due", "reminders", "reminder_due")}),
        (
            "As detection or another system said it",
            {
                "classes": ("collapse",),
                "fields": ("key", "title", "violations", "reasons", "contributions"),
            },
        ),
    )

    @display(description="level", ordering="level", label=LEVEL_COLOURS)
    def shown_level(self, incident: Incident) -> str:
        return incident.level

    @display(description="state", ordering="state", label=STATE_COLOURS)
    def shown_state(self, incident: Incident) -> str:
        return incident.state

    def has_triage_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("alerts.change_incident")

    @admin.action(description="Acknowledge", permissions=["triage"])
    def acknowledge(self, request: HttpRequest, chosen: QuerySet[Incident]) -> None:
        self._do(request, chosen, services.acknowledge)

    @admin.action(description="Resolve", permissions=["triage"])
    def resolve(self, request: HttpRequest, chosen: QuerySet[Incident]) -> None:
        self._do(request, chosen, services.resolve)

    @admin.action(description="Close as false positive", permissions=["triage"])
    def false_positive(self, request: HttpRequest, chosen: QuerySet[Incident]) -> None:
        self._do(request, chosen, services.mark_false_positive)

    def _do(
        self,
        request: HttpRequest,
        chosen: QuerySet[Incident],
        service: Callable[..., Incident],
    ) -> None:
        done, actor = 0, request.user.get_username()
        for number in chosen.order_by("id").values_list("id", flat=True):
            try:
                service(incident_id=number, actor=actor, via="admin", now=steady_clock.now())
                done += 1
            except IllegalTransition as error:
                self.message_user(
                    request, f"#{number}: {refusal_told(error, language())}", messages.WARNING
                )
        if done:
            self.message_user(request, _("Done: %(number)s.") % {"number": done})
