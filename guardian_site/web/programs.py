"""Programs and browsers: which of them sent a request, as far as its headers can tell."""

from collections.abc import Mapping
from typing import Any

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
BEARER = "bearer "


def names_a_page(headers: Mapping[str, Any]) -> bool:
    """Tell whether a web page names itself, as it does in every request that may change data."""
    return "HTTP_ORIGIN" in headers or "HTTP_REFERER" in headers


def names_a_key(headers: Mapping[str, Any]) -> bool:
    """Tell whether a request carries an API key, or a signature made with one."""
    # Not by `request.headers`: building that costs more than the rest, and every report comes here.
    return "HTTP_X_API_KEY" in headers or "HTTP_X_SIGNATURE" in headers


def proves_itself(headers: Mapping[str, Any]) -> bool:
    """Tell whether a request carries credentials, valid or not; a session does not count."""
    return "HTTP_AUTHORIZATION" in headers or names_a_key(headers)


def bearer_token(headers: Mapping[str, Any]) -> str:
    """Return the bearer token of a request; empty if there is none."""
    header: str = headers.get("HTTP_AUTHORIZATION", "")
    return header[len(BEARER) :].strip() if header[: len(BEARER)].lower() == BEARER else ""


def comes_from_a_program(headers: Mapping[str, Any]) -> bool:
    """Tell, by the variables of its environment, whether no web page can have sent a request.

    A page of somebody else's, whose host name was made to lead here (DNS rebinding), has no cookie
    of ours. Its browser names it in whatever it posts, and it cannot show credentials when it
    reads: so what reads without credentials does not count as a program.
    """
    if "HTTP_COOKIE" in headers or names_a_page(headers):
        return False
    proven = names_a_key(headers) or bool(bearer_token(headers))
    return proven or headers["REQUEST_METHOD"].upper() not in SAFE
