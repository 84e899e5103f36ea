"""JSON web tokens: signed by the first key of the ring, verified by any of them."""

import hashlib
from functools import lru_cache
from typing import Any, Self

import jwt
from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError
from rest_framework_simplejwt.tokens import Token

from guardian_site.access.lifetimes import ACCESS_LIFETIME, REFRESH_LIFETIME

ISSUER = "transaction-guardian"


def key_id(key: str) -> str:
    """Return the public name of a signing key.

    Examples
    --------
    >>> key_id("a key")
    '8fa3aab2faa9b79e'
    """
    return hashlib.sha256(key.encode()).hexdigest()[:16]


class Keyring(TokenBackend):
    """Several keys at once, so that a new one can be put in front before the old one goes."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        super().__init__("HS256", keys[0], issuer=ISSUER)
        self._first = keys[0]
        self._keys = {key_id(key): key for key in keys}

    def get_verifying_key(self, token: Any) -> str:
        """Return the key that the token's header names."""
        try:
            name = jwt.get_unverified_header(token).get("kid")
        except jwt.InvalidTokenError as error:
            raise TokenBackendError("Token is invalid") from error
        if name not in self._keys:
            raise TokenBackendError("Token is signed by no key of ours")
        return self._keys[name]

    def encode(self, payload: dict[str, Any]) -> str:
        """Return the signed token, which names its key."""
        return jwt.encode(
            {**payload, "iss": ISSUER},
            self._first,
            algorithm=self.algorithm,
            headers={"kid": key_id(self._first)},
        )


@lru_cache(maxsize=4)
def _ring(keys: tuple[str, ...]) -> Keyring:
    return Keyring(keys)


class _Ours(Token):
    @classmethod
    def read(cls, text: str) -> Self:
        """Return the token in `text`; raise TokenError if it is not ours or has run out."""
        return cls(text)  # type: ignore[arg-type]  # the library declares the decoded form

    def get_token_backend(self) -> Keyring:
        return _ring(tuple(settings.GUARDIAN_JWT_KEYS))


class AccessToken(_Ours):
    """Is valid for GUARDIAN_TOKEN_MINUTES, as long as its sign-in or its key lives."""

    token_type = "access"
    lifetime = ACCESS_LIFETIME


class RefreshToken(_Ours):
    """Can be exchanged, once, for a new pair of tokens."""

    token_type = "refresh"
    lifetime = REFRESH_LIFETIME
