"""Programs and browsers: which of them sent a request, as far as its headers can tell."""

from collections.abc import Mapping
from typing import Any

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
BEARER = "bearer "


def names_a_page(headers: Mapping[str, Any]) -> bool:
    """Tell whether a page names itself as the sender, as browsers do for what changes things."""
    return "HTTP_ORIGIN" in headers or "HTTP_REFERER" in headers


def names_a_key(headers: Mapping[str, Any]) -> bool:
    """Tell whether a request is to be proven by a key of its sender."""
    # Sorting all headers by name costs more than the rest of this; reports without a key pass here.
    return "HTTP_X_API_KEY" in headers or "HTTP_X_SIGNATURE" in headers


def proves_itself(headers: Mapping[str, Any]) -> bool:
    """Tell whether a request brings a proof other than a session; it need not be valid."""
    return "HTTP_AUTHORIZATION" in headers or names_a_key(headers)


def bearer_token(headers: Mapping[str, Any]) -> str:
    """Return the token that a request is to be proven by; empty if there is none."""
    header: str = headers.get("HTTP_AUTHORIZATION", "")
    return header[len(BEARER) :].strip() if header[: len(BEARER)].lower() == BEARER else ""


def comes_from_a_program(headers: Mapping[str, Any]) -> bool:
    """Tell whether no page can have sent a request, by the variables of its environment.

    A page of another site whose name was made to point here has no cookie of ours. It names itself
    with whatever it posts, and it can bring no proof with what it reads; a false one is refused.
    """
    if "HTTP_COOKIE" in headers or names_a_page(headers):
        return False
    proven = names_a_key(headers) or bool(bearer_token(headers))
    return proven or headers["REQUEST_METHOD"].upper() not in SAFE
