from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from ingest.admin.by_source import BY_SOURCE
from ingest.admin.long import Long, between
from ingest.models import FileImport, MinuteCount, Report, Transaction


class ReadOnly(Long, ModelAdmin):
    """Rows that senders wrote: a person corrects them by sending a correction, not by hand."""

    list_select_related = ("source",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Report)
class ReportAdmin(ReadOnly):
    list_display = ("timestamp", "source", "status", "auth_code", "count", "received")
    list_filter = ("status", BY_SOURCE, between("timestamp"))
    search_fields = ("auth_code", "=source__name")
    search_help_text = "Auth code, or the full name of a source"


@admin.register(Transaction)
class TransactionAdmin(ReadOnly):
    list_display = ("external_id", "timestamp", "source", "status", "auth_code", "count")
    list_filter = ("status", BY_SOURCE, between("timestamp"))
    search_fields = ("=external_id", "=source__name")
    search_help_text = "The full id of a transaction, or the full name of a source"


@admin.register(MinuteCount)
class MinuteCountAdmin(ReadOnly):
    list_display = ("minute", "source", "status", "auth_code", "count")
    list_filter = ("status", BY_SOURCE, between("minute"))
    search_fields = ("auth_code", "=source__name")
    search_help_text = "Auth code, or the full name of a source"


@admin.register(FileImport)
class FileImportAdmin(ReadOnly):
    list_display = ("file_name", "source", "lines", "started", "finished")
    list_filter = (BY_SOURCE,)
    search_fields = ("file_name", "=source__name")
    date_hierarchy = "started"
