from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.decorators import display

from alerts import services
from alerts.admin.reading import ReadOnlyAdmin
from alerts.models import Channel, Notification

STATE_COLOURS = {
    "pending": "warning",
    "sending": "info",
    "sent": "success",
    "dead": "danger",
}


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    list_display = (
        "created",
        "incident",
        "channel",
        "kind",
        "shown_state",
        "sent",
        "due",
        "attempts",
        "reason",
        "last_error",
    )
    list_filter = ("state", "kind", "channel", "level")
    search_fields = ("=incident__id", "reason", "last_error", "reference")
    date_hierarchy = "created"
    list_select_related = ("incident__source", "channel")
    actions = ("send_again",)

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
                services.resend(notification_id=number, actor=actor, now=timezone.now())
                done += 1
            except ValueError as error:
                self.message_user(request, str(error), messages.WARNING)
        if done:
            self.message_user(request, f"{done} wait to be sent again.")


@admin.register(Channel)
class ChannelAdmin(ModelAdmin):
    list_display = (
        "name",
        "kind",
        "minimum_level",
        "language",
        "standby",
        "backup",
        "shown_health",
        "disabled_reason",
    )
    list_filter = ("kind", "enabled", "standby", "minimum_level")
    search_fields = ("name", "disabled_reason", "owner__username")
    list_select_related = ("backup",)
    filter_horizontal = ("sources",)
    readonly_fields = ("disabled", "disabled_reason", "paused_until", "builtin")
    actions = ("send_test", "enable")

    @display(description="health", label={"works": "success", "broken": "danger", "off": "warning"})
    def shown_health(self, channel: Channel) -> str:
        if channel.disabled:
            return "broken"
        return "works" if channel.enabled else "off"

    @admin.action(description="Send a test message", permissions=["change"])
    def send_test(self, request: HttpRequest, chosen: QuerySet[Channel]) -> None:
        for channel in chosen:
            actor = request.user.get_username()
            services.queue_test(channel=channel, actor=actor, now=timezone.now())
        self.message_user(
            request, "The tests wait in the outbox; see Notifications for the outcome."
        )

    @admin.action(description="Enable after repair", permissions=["change"])
    def enable(self, request: HttpRequest, chosen: QuerySet[Channel]) -> None:
        for channel in chosen:
            services.enable_channel(channel=channel)
        self.message_user(request, "Enabled.")
