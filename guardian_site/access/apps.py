from django.apps import AppConfig
from django_otp.plugins.otp_totp import apps as totp


class AccessConfig(AppConfig):
    name = "guardian_site.access"
    label = "access"
    verbose_name = "Access"

    def ready(self) -> None:
        from guardian_site.access import audit, auditing, checks, openapi  # noqa: F401

        audit.register_models()
        auditing.connect()


class SecondFactorConfig(totp.DefaultConfig):  # type: ignore[misc]  # the library has no types
    """The library's own, with a name for people."""

    verbose_name = "Second factor"
    default = False
