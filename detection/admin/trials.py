from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from unfold.decorators import display

from detection.admin.reading import JudgedAdmin
from detection.messages import refusal_told
from detection.models import Backtest
from detection.selectors.trials import is_lost
from detection.services.trials import restart_backtest, stop_backtest
from detection.tasks import enqueue_backtest
from ingest import steady_clock

STATE_COLOURS = {"running": "info", "done": "success", "failed": "danger", "lost": "danger"}


@admin.register(Backtest)
class BacktestAdmin(JudgedAdmin):
    list_display = (
        "requested",
        "since",
        "until",
        "shown_state",
        "shown_progress",
        "pages",
        "missed",
        "why_failed",
    )
    list_filter = ("state",)
    search_fields = ("=id", "requested_by__username")
    date_hierarchy = "requested"
    exclude = ("state", "chart")
    readonly_fields = ("shown_state", "why_failed", "shown_chart")
    actions = ("start_again", "stop")

    @display(description="state", ordering="state", label=STATE_COLOURS)
    def shown_state(self, backtest: Backtest) -> tuple[str, str]:
        if not is_lost(backtest, steady_clock.now()):
            return backtest.state, backtest.state
        seen = "yet" if backtest.heartbeat is None else f"since {backtest.heartbeat:%H:%M} UTC"
        return "lost", f"running, no sign of life {seen}"

    @display(description="progress")
    def shown_progress(self, backtest: Backtest) -> str:
        return f"{backtest.progress:.0%}"

    @display(description="pages per day")
    def pages(self, backtest: Backtest) -> object:
        return backtest.report.get("total", {}).get("pages_per_day", "-")

    @display(description="incidents missed")
    def missed(self, backtest: Backtest) -> object:
        return backtest.report.get("total", {}).get("incidents_missed", "-")

    @display(description="why it failed")
    def why_failed(self, backtest: Backtest) -> str:
        return str(backtest.report.get("error", "-"))

    @display(description="chart")
    def shown_chart(self, backtest: Backtest) -> str:
        if not backtest.chart:
            return "-"
        return format_html('<a href="/backtests/{}/chart.svg">Show the chart</a>', backtest.pk)

    def has_start_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("detection.add_backtest")

    @admin.action(description="Start again", permissions=["start"])
    def start_again(self, request: HttpRequest, chosen: QuerySet[Backtest]) -> None:
        started = 0
        for number in chosen.order_by("pk").values_list("pk", flat=True):
            try:
                restart_backtest(number=number, now=steady_clock.now())
            except ValueError as error:
                self.message_user(request, refusal_told(error, get_language()), messages.ERROR)
                continue
            started += 1
            enqueue_backtest(number)
        if started:
            told = _("Queued to run again: %(number)s.")
            self.message_user(request, told % {"number": started})

    @admin.action(description="Stop", permissions=["start"])
    def stop(self, request: HttpRequest, chosen: QuerySet[Backtest]) -> None:
        stopped = 0
        for number in chosen.order_by("pk").values_list("pk", flat=True):
            try:
                stop_backtest(number=number, by=str(request.user), now=steady_clock.now())
            except ValueError as error:
                self.message_user(request, refusal_told(error, get_language()), messages.ERROR)
                continue
            stopped += 1
        if stopped:
            self.message_user(request, _("Stopped: %(number)s.") % {"number": stopped})
