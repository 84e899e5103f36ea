from django.contrib import admin
from unfold.admin import ModelAdmin, TabularInline

from alerts.admin.reading import moment
from alerts.admin.weekdays import WithWeekdays
from alerts.admin.zones import AtHome
from alerts.models import (
    EscalationPolicy,
    EscalationStep,
    Override,
    Rotation,
    RotationMember,
    Schedule,
)
from ingest.admin.by_source import BY_SOURCE, BySource
from ingest.admin.moments import InCalendar


class RotationInline(TabularInline):
    model = Rotation
    extra = 0
    show_change_link = True


class OverrideInline(InCalendar, TabularInline):
    model = Override
    extra = 0


class PlaceInline(TabularInline):
    model = RotationMember
    extra = 1


class StepInline(TabularInline):
    model = EscalationStep
    extra = 1


@admin.register(Schedule)
class ScheduleAdmin(AtHome):
    list_display = ("name", "time_zone")
    search_fields = ("name",)
    inlines = (RotationInline, OverrideInline)


@admin.register(Rotation)
class RotationAdmin(WithWeekdays):
    list_display = ("name", "schedule", "rank", "first_day", "handover", "days")
    list_filter = ("schedule",)
    search_fields = ("name",)
    inlines = (PlaceInline,)


@admin.register(Override)
class OverrideAdmin(InCalendar, ModelAdmin):
    """A page of its own: who may stand in for somebody may not change the schedule."""

    list_display = ("user", "schedule", moment("starts"), moment("ends"), "reason")
    list_filter = ("schedule",)
    list_select_related = ("user", "schedule")
    search_fields = ("user__username", "reason")
    date_hierarchy = "starts"


@admin.register(EscalationPolicy)
class EscalationPolicyAdmin(BySource, ModelAdmin):
    list_display = ("name", "rank", "source", "family", "minimum_level", "rounds")
    list_filter = ("minimum_level", BY_SOURCE)
    list_select_related = ("source",)
    autocomplete_fields = ("source",)
    search_fields = ("name",)
    inlines = (StepInline,)
