import json
import re
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Exists, Field, Min, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from unfold.decorators import display

from alerts import services
from alerts.admin.zones import AtHome
from alerts.channels import ADAPTERS, ChannelError
from alerts.channels.base import NEVER_SENT, setting, variables
from alerts.messages.stored import fault_told
from alerts.models import Channel, Notification
from alerts.selectors.live import language
from alerts.selectors.outbox import WAITING
from ingest import steady_clock
from ingest.admin.by_source import SomeSources
from ingest.admin.written_json import ReadsJSON

Kind = Channel.Kind
HEALTH_COLOURS = {
    "works": "success",
    "broken": "danger",
    "failing": "danger",
    "lacks settings": "warning",
    "off": "warning",
    "never used": "info",
}
VARIABLE = re.compile(r"[A-Za-z_]\w*", re.ASCII)
# Settings that a kind of channel takes beside those it needs.
OPTIONS = {
    Kind.EMAIL: "port, user, password, security (starttls or tls)",
    Kind.SLACK_BOT: "users (Slack ids that may press buttons)",
    Kind.TELEGRAM: "users (Telegram ids that may act)",
    Kind.WEBHOOK: "allow_private",
    Kind.WHATSAPP: "template",
    Kind.ALERTMANAGER: "token",
    Kind.APPRISE: "allow_private",
}


def what_each_needs() -> SafeString:
    """Return what belongs into the configuration of each kind, in one line each, to copy."""
    lines = ["A JSON object. “env:NAME” as a value takes a secret from the environment."]
    for kind in Kind:
        if needs := ADAPTERS[kind].needs:
            option = f"; also {OPTIONS[kind]}" if kind in OPTIONS else ""
            filled = json.dumps(dict.fromkeys(needs, "…"), ensure_ascii=False)
            lines.append(f"{kind.label}: {filled}{option}")
    return format_html_join(mark_safe("<br>"), "{}", ((line,) for line in lines))


class ChannelForm(forms.ModelForm):  # type: ignore[type-arg]  # it takes no type at run time
    # Faults that this process cannot be sure of.
    doubts: Sequence[str] = ()

    def clean_configuration(self) -> Any:
        configuration = self.cleaned_data["configuration"]
        if configuration is None:  # the box was emptied
            return {}
        return configuration

    def clean(self) -> dict[str, Any]:
        asked: dict[str, Any] = super().clean() or self.cleaned_data
        configuration, kind = asked.get("configuration"), asked.get("kind")
        if kind is None or configuration is None or self.instance.builtin:
            return asked
        if not isinstance(configuration, dict):
            raise forms.ValidationError({"configuration": _("Write a JSON object: {…}.")})
        channel = Channel(kind=kind, configuration=configuration)
        faults, self.doubts = findings(channel)
        if faults:
            raise forms.ValidationError({"configuration": faults})
        return asked


def findings(channel: Channel) -> tuple[list[str], list[str]]:
    """Return the faults of the configuration, and those that only the worker can be sure of."""
    adapter, faults, doubts = ADAPTERS[channel.kind], list[str](), list[str]()
    # Only what is missing here: a variable may be set in the worker's environment alone.
    lacking = [name for name in adapter.lacking(channel) if not channel.configuration.get(name)]
    if lacking:
        words = {"kind": Kind(channel.kind).label, "missing": ", ".join(lacking)}
        faults.append(_("%(kind)s lacks: %(missing)s.") % words)
    for name, variable in variables(channel).items():
        if not VARIABLE.fullmatch(variable):
            words = {"name": name, "variable": variable}
            faults.append(
                _("%(name)s: “env:%(variable)s” is not a variable name; write env:NAME.") % words
            )
        elif variable in NEVER_SENT:
            words = {"name": name, "variable": variable}
            faults.append(
                _("%(name)s: %(variable)s is one of Guardian’s own secrets; no channel may use it.")
                % words
            )
        elif not setting(channel, name):
            doubts.append(
                _("%(variable)s is not set here; unless the worker has it, nothing is sent.")
                % {"variable": variable}
            )
    try:
        adapter.check(channel)
    except ChannelError as error:
        told = fault_told(str(error), language())
        (faults if error.permanent else doubts).append(f"{Kind(channel.kind).label}: {told}.")
    return faults, doubts


@admin.register(Channel)
class ChannelAdmin(SomeSources, ReadsJSON, AtHome):
    form = ChannelForm
    list_display = (
        "name",
        "kind",
        "reaches",
        "minimum_level",
        "language",
        "backup",
        "shown_health",
        "disabled_reason",
    )
    list_filter = ("kind", "enabled", "standby", "minimum_level")
    search_fields = ("name", "disabled_reason", "owner__username")
    list_select_related = ("backup", "owner")
    readonly_fields = ("disabled", "disabled_reason", "paused_until", "builtin")
    actions = ("send_test", "enable")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Channel]:
        mine = Notification.objects.filter(channel=OuterRef("pk"))
        failing = mine.filter(state__in=WAITING, attempts__gt=0).exclude(last_error="")
        rows: QuerySet[Channel] = super().get_queryset(request).exclude(kind=Kind.SINK)
        return rows.annotate(
            failing=Exists(failing),
            told=Exists(mine.filter(state=Notification.State.SENT)),
            number_of_sources=Count("sources"),
            one_source=Min("sources__name"),
        )

    def save_model(
        self, request: HttpRequest, obj: Channel, form: ChannelForm, change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        for doubt in form.doubts:
            self.message_user(request, doubt, messages.WARNING)

    def formfield_for_dbfield(
        self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name == "configuration":
            field.help_text = what_each_needs()
            field.error_messages["invalid"] = _("Write a JSON object: {…}.")
        if field is not None and db_field.name == "kind":
            field.choices = [choice for choice in field.choices if choice[0] != Kind.SINK]
        return field

    @display(description="reaches")
    def reaches(self, channel: Channel) -> str:
        if channel.owner is not None:
            whom = f"{channel.owner.get_username()}, when on call or assigned"
        else:
            whom = "nobody, on standby" if channel.standby else "everybody"
        number: int = getattr(channel, "number_of_sources", 0)
        if number == 0:
            return whom
        what = getattr(channel, "one_source", "") if number == 1 else f"{number} sources"
        return f"{whom}; {what} only"

    @display(description="health", label=HEALTH_COLOURS)
    def shown_health(self, channel: Channel) -> str:
        if channel.disabled:
            return "broken"
        if not channel.enabled:
            return "off"
        if not ADAPTERS[channel.kind].configured(channel):
            return "lacks settings"
        if getattr(channel, "failing", False):
            return "failing"
        return "works" if getattr(channel, "told", False) else "never used"

    @admin.action(description="Send a test message", permissions=["change"])
    def send_test(self, request: HttpRequest, chosen: QuerySet[Channel]) -> None:
        for channel in chosen:
            actor = request.user.get_username()
            services.queue_test(channel=channel, actor=actor, now=steady_clock.now())
        self.message_user(
            request, _("Test messages are queued; see Notifications for the outcome.")
        )

    @admin.action(description="Enable after repair", permissions=["change"])
    def enable(self, request: HttpRequest, chosen: QuerySet[Channel]) -> None:
        for channel in chosen:
            services.enable_channel(channel=channel)
        self.message_user(request, _("Enabled."), messages.SUCCESS)
