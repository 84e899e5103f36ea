from django.contrib import admin
from django.utils.html import format_html
from unfold.decorators import display

from detection.admin.reading import ReadOnly
from detection.models import Backtest


@admin.register(Backtest)
class BacktestAdmin(ReadOnly):
    list_display = ("requested", "since", "until", "state", "shown_progress", "pages", "missed")
    list_filter = ("state",)
    search_fields = ("=id", "requested_by__username")
    date_hierarchy = "requested"
    exclude = ("chart",)
    readonly_fields = ("shown_chart",)

    @display(description="progress")
    def shown_progress(self, backtest: Backtest) -> str:
        return f"{backtest.progress:.0%}"

    @display(description="pages a day")
    def pages(self, backtest: Backtest) -> object:
        return backtest.report.get("total", {}).get("pages_per_day", "-")

    @display(description="incidents missed")
    def missed(self, backtest: Backtest) -> object:
        return backtest.report.get("total", {}).get("incidents_missed", "-")

    @display(description="chart")
    def shown_chart(self, backtest: Backtest) -> str:
        if not backtest.chart:
            return "-"
        return format_html('<a href="/backtests/{}/chart.svg">Show the chart</a>', backtest.pk)
