"""Rows that detection wrote: people read them, services change them."""

from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin

from ingest.admin.long import Long

LEVEL_COLOURS = {"CRITICAL": "danger", "WARNING": "warning", "NORMAL": "success"}


class ReadOnly(Long, ModelAdmin):
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
