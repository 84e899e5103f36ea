from django.apps import AppConfig


class GuardianSiteConfig(AppConfig):
    name = "guardian_site"
    verbose_name = "Operation"

    def ready(self) -> None:
        from guardian_site import checks, pulse  # noqa: F401  checks register themselves

        pulse.connect()
