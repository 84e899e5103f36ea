from django.apps import AppConfig


class DetectionConfig(AppConfig):
    name = "detection"
    verbose_name = "2 · Detection: what is abnormal"

    def ready(self) -> None:
        from detection.models import Baseline
        from detection.services import parents, zones
        from ingest.recording.versions import VersionColumn, read_versions_from

        parents.connect()
        zones.connect()
        read_versions_from(VersionColumn(Baseline._meta.db_table, "version"))
