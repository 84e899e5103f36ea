from django.apps import AppConfig


class DetectionConfig(AppConfig):
    name = "detection"
    verbose_name = "2 · Detection: what is abnormal"

    def ready(self) -> None:
        from detection.models import Baseline
        from detection.services import parents
        from ingest.recording.along import Versions, ask_along

        parents.connect()
        ask_along(Versions(Baseline._meta.db_table, "version"))
