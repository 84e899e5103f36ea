from django.apps import AppConfig


class GuardianSiteConfig(AppConfig):
    name = "guardian_site"
    verbose_name = "Operation"

    def ready(self) -> None:
        from guardian_site import checks  # noqa: F401  registering is what importing it does
