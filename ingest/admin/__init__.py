from ingest.admin.keys import ApiKeyAdmin
from ingest.admin.rows import FileImportAdmin, MinuteCountAdmin, ReportAdmin, TransactionAdmin
from ingest.admin.sources import SourceAdmin

__all__ = [
    "ApiKeyAdmin",
    "FileImportAdmin",
    "MinuteCountAdmin",
    "ReportAdmin",
    "SourceAdmin",
    "TransactionAdmin",
]
