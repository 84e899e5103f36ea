"""Rows that detection wrote: people read them, services change them."""

from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.paginator import InfinitePaginator

LEVEL_COLOURS = {"CRITICAL": "danger", "WARNING": "warning", "NORMAL": "success"}


class ReadOnly(ModelAdmin):
    # Long tables: nothing here may count them.
    show_full_result_count = False
    paginator = InfinitePaginator
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
