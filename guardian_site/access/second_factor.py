"""The optional second factor: a code from a phone, asked of those who set one up."""

from django.contrib.auth.models import User
from django_otp import devices_for_user, match_token
from django_otp.plugins.otp_totp.models import TOTPDevice


def has_second_factor(user: User) -> bool:
    """Tell whether `user` has to give a code."""
    return any(True for _device in devices_for_user(user, confirmed=True))


def passes_second_factor(*, user: User, code: str) -> bool:
    """The code is right and spent, or none is needed."""
    if not has_second_factor(user):
        return True
    return bool(code) and match_token(user, code) is not None


def second_factors_in_use() -> bool:
    """Tell whether anybody has to give a code."""
    return bool(TOTPDevice.objects.filter(confirmed=True).exists())
