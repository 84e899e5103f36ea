from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "guardian_site.access"
    label = "access"
    verbose_name = "Access"

    def ready(self) -> None:
        from guardian_site.access import audit, auditing, checks, openapi  # noqa: F401

        audit.register_models()
        auditing.connect()
