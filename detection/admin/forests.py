from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from unfold.decorators import action, display

from detection.admin.reading import JudgedAdmin
from detection.messages import refusal_told
from detection.models import ForestVersion
from detection.services.forests import promote_forest, roll_back_forest
from ingest import steady_clock
from ingest.admin.clicks import clicked_here

STATE_COLOURS = {"live": "success", "shadow": "info", "retired": "warning"}


@admin.register(ForestVersion)
class ForestVersionAdmin(JudgedAdmin):
    list_display = ("id", "shown_state", "trained", "promoted", "rows", "loud_rate", "note")
    list_filter = ("state",)
    search_fields = ("=id", "note")
    date_hierarchy = "trained"
    exclude = ("model",)
    actions = ("promote",)
    actions_list = ("roll_back",)

    @display(description="state", ordering="state", label=STATE_COLOURS)
    def shown_state(self, version: ForestVersion) -> str:
        return version.state

    @display(description="trained on rows")
    def rows(self, version: ForestVersion) -> int:
        return int(version.parameters.get("rows", 0))

    @display(description="false alarms")
    def loud_rate(self, version: ForestVersion) -> str:
        rate = version.metrics.get("loud_rate")
        return "unknown" if rate is None else f"{rate:.2%}"

    def has_promote_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return request.user.has_perm("detection.change_forestversion")

    @admin.action(description="Put live", permissions=["promote"])
    def promote(self, request: HttpRequest, chosen: QuerySet[ForestVersion]) -> None:
        numbers = list(chosen.values_list("pk", flat=True))
        if len(numbers) != 1:
            self.message_user(request, _("Choose one version."), messages.ERROR)
            return
        try:
            promote_forest(number=numbers[0], now=steady_clock.now())
        except ValueError as error:
            self.message_user(request, refusal_told(error, get_language()), messages.ERROR)
            return
        self.message_user(request, _("Forest %(number)s is now live.") % {"number": numbers[0]})

    @action(description="Roll back to the previous version", permissions=["promote"])
    @clicked_here
    def roll_back(self, request: HttpRequest) -> HttpResponse:
        version = roll_back_forest(now=steady_clock.now())
        told = _("Forest %(number)s is live again.") if version else _("No forest is live now.")
        self.message_user(request, told % {"number": version and version.pk})
        return redirect(reverse("admin:detection_forestversion_changelist"))
