"""Refuses passwords that were published, and so are no secrets any more."""

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# Those of the system before this one, which were published with its code.
PUBLISHED = frozenset(
    {
        *("guardian-api-key-2024", "guardian_secure_2024", "cloudwalk2024"),
        *("admin123", "operator123", "viewer123"),
    }
)


class NotPublished:
    """Refuses the passwords that everybody can read in the repository of the former system."""

    def validate(self, password: str, user: User | None = None) -> None:
        if password.lower() in PUBLISHED:
            raise ValidationError(_("This password has been published; choose another."))

    def get_help_text(self) -> str:
        return _("Your password can’t be one that was published with the former system.")
