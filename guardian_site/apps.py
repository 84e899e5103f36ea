from django.apps import AppConfig


class GuardianSiteConfig(AppConfig):
    name = "guardian_site"
    verbose_name = "Operation"

    def ready(self) -> None:
        from django.conf import settings

        from guardian_site import checks, pulse  # noqa: F401  checks register themselves
        from guardian_site.telemetry import (
            incident_log,
            measured_tasks,
            metrics,
            worker_exposition,
        )

        metrics.begin_at_zero()
        pulse.connect()
        measured_tasks.connect()
        incident_log.connect()
        worker_exposition.connect()
        if settings.GUARDIAN_TRACING:
            from guardian_site.tracing import switch

            switch.turn_on()
