"""What a token is worth at this moment, for those who may ask (RFC 7662)."""

from typing import Any

from guardian_site.access.identity import Identity, of_token
from guardian_site.access.tokens import read_access
from ingest.services.keys import Authenticated
from ingest.services.proving import NotProven

STANDARD = ("sub", "iss", "jti", "iat", "exp")
INACTIVE: dict[str, Any] = {"active": False}


def introspect_token(*, token: str, holder: Authenticated) -> dict[str, Any]:
    """Return whom a token stands for, if it is the asking key's own or that is an admin key."""
    try:
        identity = of_token(token)
    except NotProven:
        return INACTIVE
    own = identity.key is not None and identity.key.prefix == holder.prefix
    if not (own or holder.is_admin):
        return INACTIVE
    return {"active": True, "token_type": "bearer", **_named(identity), **_claims(token)}


def _named(identity: Identity) -> dict[str, str]:
    if identity.key is not None:
        return {"client_id": identity.key.prefix, "scope": " ".join(sorted(identity.key.scopes))}
    return {"username": identity.user.get_username()} if identity.user is not None else {}


def _claims(token: str) -> dict[str, Any]:
    # A key may itself be shown as a token; it is none of ours that could be read.
    if token.count(".") != 2:
        return {}
    payload = read_access(token).payload
    return {name: payload[name] for name in STANDARD if name in payload}
