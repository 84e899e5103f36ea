"""Rows that detection wrote: people read them, services change them."""

from unfold.admin import ModelAdmin

from ingest.admin.long import Long
from ingest.admin.reading import ReadOnly

LEVEL_COLOURS = {"CRITICAL": "danger", "WARNING": "warning", "NORMAL": "success"}


class JudgedAdmin(ReadOnly, Long, ModelAdmin):
    """A long list of what detection wrote."""
