from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from unfold.decorators import display

from alerts import services
from alerts.admin.reading import ReadOnlyAdmin, moment, one_line
from alerts.messages.stored import refusal_told
from alerts.models import Notification
from alerts.selectors.live import language
from ingest import steady_clock
from ingest.admin.long import Long, between

STATE_COLOURS = {
    "pending": "warning",
    "sending": "info",
    "sent": "success",
    "dead": "danger",
}


@admin.register(Notification)
class NotificationAdmin(Long, ReadOnlyAdmin):
    list_display = (
        moment("created"),
        "incident",
        "channel",
        "kind",
        "shown_state",
        "sent_or_due",
        "attempts",
        "reason",
        "last_error",
    )
    list_filter = ("state", "kind", "channel", "level", between("created"))
    search_fields = ("=incident__id", "reason", "last_error", "reference")
    list_select_related = ("incident__source", "channel")
    actions = ("send_again",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Notification]:
        rows: QuerySet[Notification] = super().get_queryset(request)
        # The canary sends one a minute, which would bury all others. The filter “kind” shows them.
        if request.GET.get("kind__exact") == Notification.Kind.CANARY:
            return rows
        return rows.exclude(kind=Notification.Kind.CANARY)

    @display(description="sent, or due", ordering="due")
    def sent_or_due(self, row: Notification) -> str:
        if row.state == Notification.State.SUPPRESSED:
            return "never"
        return one_line(row.sent or row.due)

    @display(description="state", ordering="state", label=STATE_COLOURS)
    def shown_state(self, row: Notification) -> str:
        return row.state

    def has_send_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("alerts.change_notification")

    @admin.action(description="Send again", permissions=["send"])
    def send_again(self, request: HttpRequest, chosen: QuerySet[Notification]) -> None:
        actor, done = request.user.get_username(), 0
        for number in chosen.order_by("id").values_list("id", flat=True):
            try:
                services.resend(notification_id=number, actor=actor, now=steady_clock.now())
                done += 1
            except ValueError as error:
                self.message_user(request, refusal_told(error, language()), messages.WARNING)
        if done:
            told = _("Queued to be sent again: %(number)s.")
            self.message_user(request, told % {"number": done})
