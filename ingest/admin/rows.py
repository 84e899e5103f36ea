from django.contrib import admin
from unfold.admin import ModelAdmin

from ingest.admin.by_source import BY_SOURCE
from ingest.admin.long import Long, between
from ingest.admin.reading import ReadOnly
from ingest.models import FileImport, MinuteCount, Report, Transaction


class ReportedAdmin(ReadOnly, Long, ModelAdmin):
    """Rows that senders wrote: who is to correct them sends a correction."""

    list_select_related = ("source",)


@admin.register(Report)
class ReportAdmin(ReportedAdmin):
    list_display = ("timestamp", "source", "status", "auth_code", "count", "received")
    list_filter = ("status", BY_SOURCE, between("timestamp"))
    search_fields = ("auth_code", "=source__name")
    search_help_text = "Auth code, or the full name of a source"


@admin.register(Transaction)
class TransactionAdmin(ReportedAdmin):
    list_display = ("external_id", "timestamp", "source", "status", "auth_code", "count")
    list_filter = ("status", BY_SOURCE, between("timestamp"))
    search_fields = ("=external_id", "=source__name")
    search_help_text = "The full id of a transaction, or the full name of a source"


@admin.register(MinuteCount)
class MinuteCountAdmin(ReportedAdmin):
    list_display = ("minute", "source", "status", "auth_code", "count")
    list_filter = ("status", BY_SOURCE, between("minute"))
    search_fields = ("auth_code", "=source__name")
    search_help_text = "Auth code, or the full name of a source"


@admin.register(FileImport)
class FileImportAdmin(ReportedAdmin):
    list_display = ("file_name", "source", "lines", "started", "finished")
    list_filter = (BY_SOURCE,)
    search_fields = ("file_name", "=source__name")
    date_hierarchy = "started"
