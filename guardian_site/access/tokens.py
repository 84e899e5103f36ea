"""The tokens of the API, made and read.

What signs them brings a library of ciphers along, eight megabytes: a web process to which nobody
shows a token does without.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guardian_site.access.signed_tokens import AccessToken, RefreshToken


def new_access() -> "AccessToken":
    """Return a token that opens doors for a quarter of an hour."""
    from guardian_site.access.signed_tokens import AccessToken

    return AccessToken()


def read_access(text: str) -> "AccessToken":
    """Return the access token in `text`; raise TokenError if it is not ours or has run out."""
    from guardian_site.access.signed_tokens import AccessToken

    return AccessToken.read(text)


def new_refresh() -> "RefreshToken":
    """Return a token that buys one new pair of tokens."""
    from guardian_site.access.signed_tokens import RefreshToken

    return RefreshToken()


def read_refresh(text: str) -> "RefreshToken":
    """Return the refresh token in `text`; raise TokenError if it is not ours or has run out."""
    from guardian_site.access.signed_tokens import RefreshToken

    return RefreshToken.read(text)
