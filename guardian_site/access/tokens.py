"""The tokens of the API, made and read.

The module that signs them is imported late: it loads a library of ciphers, eight megabytes, which a
web process that is shown no token does not need.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guardian_site.access.signed_tokens import AccessToken, RefreshToken


def new_access() -> "AccessToken":
    """Return a new access token, valid for GUARDIAN_TOKEN_MINUTES."""
    from guardian_site.access.signed_tokens import AccessToken

    return AccessToken()


def read_access(text: str) -> "AccessToken":
    """Return the access token in `text`; raise TokenError if it is not ours or has run out."""
    from guardian_site.access.signed_tokens import AccessToken

    return AccessToken.read(text)


def new_refresh() -> "RefreshToken":
    """Return a token that can be exchanged, once, for a new pair of tokens."""
    from guardian_site.access.signed_tokens import RefreshToken

    return RefreshToken()


def read_refresh(text: str) -> "RefreshToken":
    """Return the refresh token in `text`; raise TokenError if it is not ours or has run out."""
    from guardian_site.access.signed_tokens import RefreshToken

    return RefreshToken.read(text)
