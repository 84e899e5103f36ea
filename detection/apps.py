from django.apps import AppConfig


class DetectionConfig(AppConfig):
    name = "detection"
    verbose_name = "2 · Detection: is it abnormal"

    def ready(self) -> None:
        from detection.services import parents

        parents.connect()
