"""Signing in and out through the API; a refresh token works once."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib.auth.models import User
from rest_framework_simplejwt.exceptions import TokenError

from guardian_site.access.lifetimes import ACCESS_LIFETIME, REFRESH_LIFETIME
from guardian_site.access.models import SignIn
from guardian_site.access.selectors import signed_in_user
from guardian_site.access.tokens import new_access, new_refresh, read_refresh

if TYPE_CHECKING:
    from guardian_site.access.signed_tokens import RefreshToken

logger = logging.getLogger(__name__)


class TokenRefused(Exception):
    """A token opens nothing; the message may be shown."""


@dataclass(frozen=True)
class TokenPair:
    """What somebody who signed in is given."""

    user: User
    access: str
    refresh: str
    seconds: int = int(ACCESS_LIFETIME.total_seconds())


def sign_in(*, user: User, address: str | None, now: datetime) -> TokenPair:
    """The user is signed in and holds a pair of tokens."""
    refresh = new_refresh()
    row = SignIn.objects.create(
        user=user,
        refresh_id=refresh["jti"],
        password_mark=user.get_session_auth_hash(),
        address=address,
        started=now,
        refreshed=now,
        expires=now + REFRESH_LIFETIME,
    )
    return _pair(user, row.pk, refresh)


def refresh_sign_in(*, token: str, now: datetime) -> TokenPair:
    """The refresh token is spent and a new pair is returned.

    Raises
    ------
    TokenRefused
        If it is not ours, has run out, or was spent before; then the whole sign-in ends, because
        either the thief or the owner is about to use the other copy.
    """
    try:
        spent = read_refresh(token)
        sign_in_id = UUID(spent["sid"])
    except (TokenError, KeyError, ValueError) as error:
        raise TokenRefused("This refresh token is not valid or has expired.") from error
    user = signed_in_user(sign_in_id, now)
    if user is None:
        raise TokenRefused("This sign-in has ended; sign in again.")
    fresh = new_refresh()
    claimed = SignIn.objects.filter(pk=sign_in_id, refresh_id=spent["jti"], ended=None).update(
        refresh_id=fresh["jti"],
        # Made with the present secret key: a former one is not kept for ever.
        password_mark=user.get_session_auth_hash(),
        refreshed=now,
        expires=now + REFRESH_LIFETIME,
    )
    if not claimed:
        sign_out(sign_in_id=sign_in_id, now=now)
        logger.warning("A refresh token of %s came twice; the sign-in was ended.", user.pk)
        raise TokenRefused("This refresh token was used before; sign in again.")
    return _pair(user, sign_in_id, fresh)


def sign_out(*, sign_in_id: UUID, now: datetime) -> None:
    """Every token of the sign-in is dead, in every process, at once."""
    SignIn.objects.filter(pk=sign_in_id, ended=None).update(ended=now)


def sign_out_everywhere(*, user: User, now: datetime) -> int:
    """No token of the user works any more; how many sign-ins ended is returned."""
    return SignIn.objects.filter(user=user, ended=None).update(ended=now)


def forget_sign_ins(*, before: datetime) -> int:
    """Sign-ins whose last token ran out before then are gone."""
    return SignIn.objects.filter(expires__lt=before).delete()[0]


def _pair(user: User, sign_in_id: UUID, refresh: "RefreshToken") -> TokenPair:
    access = new_access()
    for token in (access, refresh):
        token["sub"] = str(user.pk)
        token["sid"] = str(sign_in_id)
    return TokenPair(user, str(access), str(refresh))
