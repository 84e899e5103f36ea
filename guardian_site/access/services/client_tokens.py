"""Tokens of keys: issued for client credentials, given back, forgotten once they have run out."""

from datetime import UTC, datetime

from rest_framework_simplejwt.exceptions import TokenError

from guardian_site.access.models import RevokedToken
from guardian_site.access.tokens import new_access, read_access
from ingest.expiring import Expiring
from ingest.services.keys import REMEMBER_SECONDS, Authenticated

# As with keys: refused at once where it was revoked, and everywhere within ten seconds.
_seen: Expiring[str, bool] = Expiring(REMEMBER_SECONDS, limit=10_000)


class NotYours(ValueError):
    """The token was issued to somebody else."""


def issue_token(*, holder: Authenticated, scopes: frozenset[str]) -> str:
    """Return an access token that stands for the key, and is void as soon as the key is."""
    token = new_access()
    token["sub"] = token["key"] = holder.prefix
    token["scope"] = " ".join(sorted(scopes & holder.scopes))
    return str(token)


def revoke_token(*, token: str, holder: Authenticated) -> None:
    """The token is void; nothing is done for one that was never valid.

    Raises
    ------
    NotYours
        If another key or a person holds it.
    """
    try:
        claims = read_access(token).payload
    except (TokenError, ValueError, TypeError):
        return
    if claims.get("key") != holder.prefix:
        raise NotYours("This token was issued to another client.")
    token_id = str(claims["jti"])
    RevokedToken.objects.get_or_create(
        token_id=token_id, defaults={"expires": datetime.fromtimestamp(claims["exp"], UTC)}
    )
    _seen.put(token_id, True)


def is_revoked(token_id: str) -> bool:
    """Tell whether a token was revoked; the answer may be ten seconds old."""
    known = _seen.get(token_id)
    if known is None:
        known = RevokedToken.objects.filter(pk=token_id).exists()
        _seen.put(token_id, known)
    return known


def forget_revoked_tokens(*, before: datetime) -> int:
    """Revocations of tokens that had run out before then are gone."""
    return RevokedToken.objects.filter(expires__lt=before).delete()[0]
