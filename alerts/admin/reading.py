"""Rows that people read and that only services write."""

from collections.abc import Callable
from datetime import datetime

from django.db.models import Model
from django.utils import timezone
from django.utils.html import format_html
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from ingest.admin.reading import ReadOnly

ONE_LINE = '<span class="whitespace-nowrap">{}</span>'


class ReadOnlyAdmin(ReadOnly, ModelAdmin):
    list_per_page = 50


class ReadOnlyInline(ReadOnly, TabularInline):
    extra = 0
    hide_title = True
    show_change_link = False


def moment(name: str, title: str = "") -> Callable[[Model], str]:
    """Return a column that shows a moment on one line, as the pages do."""

    def shown(row: Model) -> str:
        at = getattr(row, name)
        return one_line(at) if at else ""

    column: Callable[[Model], str] = display(description=title or name, ordering=name)(shown)
    return column


def one_line(at: datetime) -> str:
    """Return a moment in the site's time zone, not broken over lines."""
    return format_html(ONE_LINE, f"{timezone.localtime(at):%Y-%m-%d %H:%M}")


__all__ = ["ReadOnlyAdmin", "ReadOnlyInline", "moment", "one_line"]
