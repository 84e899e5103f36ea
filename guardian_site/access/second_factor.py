"""The optional second factor: a code from a phone, asked of those who set one up."""

from django.contrib.auth.models import User
from django_otp import devices_for_user, match_token
from django_otp.models import Device
from django_otp.plugins.otp_totp.models import TOTPDevice


def has_second_factor(user: User) -> bool:
    """Tell whether `user` has to give a code."""
    return any(True for _device in devices_for_user(user, confirmed=True))


def passes_second_factor(*, user: User, code: str) -> bool:
    """The code is right and spent, or none is needed."""
    if not has_second_factor(user):
        return True
    # Phones show it in two halves.
    shown = "".join(code.split())
    matched = match_token(user, shown) if shown else None
    if matched is not None:
        _forgive_others(user, matched)
    return matched is not None


def _forgive_others(user: User, matched: Device) -> None:
    """The code was none of the other devices', which count that as a wrong one and wait for it."""
    for device in devices_for_user(user):
        if device.pk != matched.pk:
            device.throttle_reset()


def second_factors_in_use() -> bool:
    """Tell whether anybody has to give a code."""
    return bool(TOTPDevice.objects.filter(confirmed=True).exists())
