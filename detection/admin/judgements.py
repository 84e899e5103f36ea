from django.contrib import admin
from django.contrib.humanize.templatetags.humanize import naturaltime
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from detection.admin.reading import LEVEL_COLOURS, JudgedAdmin
from detection.models import Anomaly, Band, Baseline
from detection.scoring.state import State
from detection.services.stored_states import state_of
from ingest.admin.by_source import BY_SOURCE
from ingest.admin.long import between
from ingest.models import Status

# The next sweep learns such a baseline again.
UNREADABLE = "cannot be read"


class ByStatus(admin.SimpleListFilter):
    """The statuses there may be: not looked for in all rows."""

    title = parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return list(Status.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Anomaly]) -> QuerySet[Anomaly]:
        return queryset.filter(status=self.value()) if self.value() else queryset


@admin.register(Anomaly)
class AnomalyAdmin(JudgedAdmin):
    list_display = (
        "minute",
        "source",
        "shown_level",
        "family",
        "shown_score",
        "status",
        "auth_code",
        "count",
        "shown_band",
        "past",
        "provisional",
    )
    list_filter = ("level", "family", ByStatus, "past", "provisional", BY_SOURCE, between("minute"))
    search_fields = ("=auth_code", "=source__name", "recommendation")
    search_help_text = "Auth code, the full name of a source, or words of the recommendation"
    list_select_related = ("source",)

    @display(description="level", ordering="level", label=LEVEL_COLOURS)
    def shown_level(self, anomaly: Anomaly) -> str:
        return anomaly.level

    @display(description="score", ordering="score")
    def shown_score(self, anomaly: Anomaly) -> str:
        return f"{anomaly.score:.2f}"

    @display(description="expected")
    def shown_band(self, anomaly: Anomaly) -> str:
        if anomaly.expected is None:
            return "unknown"
        return f"{anomaly.expected:.1f} ({anomaly.lower or 0:.0f} to {anomaly.upper or 0:.0f})"


@admin.register(Band)
class BandAdmin(JudgedAdmin):
    list_display = ("minute", "source", "shown_level", "total", "expected", "lower", "upper")
    list_filter = ("level", "learning", BY_SOURCE, between("minute"))
    search_fields = ("=source__name",)
    search_help_text = "The full name of a source"
    list_select_related = ("source",)

    @display(description="level", ordering="level", label=LEVEL_COLOURS)
    def shown_level(self, band: Band) -> str:
        return band.level


@admin.register(Baseline)
class BaselineAdmin(JudgedAdmin):
    list_display = ("source", "through", "shown_age", "live", "minutes_seen", "version", "updated")
    list_filter = ("live",)
    search_fields = ("=source__name",)
    search_help_text = "The full name of a source"
    list_select_related = ("source",)
    exclude = ("state", "state_version", "recent_version")
    readonly_fields = ("minutes_seen", "codes_known")

    @display(description="judged")
    def shown_age(self, baseline: Baseline) -> str:
        return str(naturaltime(baseline.through)) if baseline.through else "never"

    @display(description="minutes seen")
    def minutes_seen(self, baseline: Baseline) -> object:
        state = _state(baseline)
        return UNREADABLE if state is None else int(state.minutes[0])

    @display(description="auth codes watched individually")
    def codes_known(self, baseline: Baseline) -> str:
        state = _state(baseline)
        if state is None:
            return UNREADABLE
        return ", ".join(code for code in state.codes[0].tolist() if code) or "none yet"


def _state(baseline: Baseline) -> State | None:
    try:
        return state_of(baseline)
    except ValueError:
        return None
