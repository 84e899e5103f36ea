"""The address of the client, behind our own proxies."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest

from guardian_site.environment import short_address

# Headers that proxies add to a request that they forward.
ADDED = (
    *("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_FORWARDED"),
    *("HTTP_X_REAL_IP", "HTTP_VIA"),
)


def was_handed_on(request: HttpRequest) -> bool:
    """Tell whether a proxy, ours or not, forwarded the request: then it came from outside."""
    return any(name in request.META for name in ADDED)


def client_address(request: HttpRequest) -> str:
    """Return the address of the client: the last hop that is not a proxy of ours."""
    address = short_address(request.META.get("REMOTE_ADDR") or "0.0.0.0")
    proxies = settings.GUARDIAN_TRUSTED_PROXIES
    if address not in proxies:
        return address
    for hop in reversed(request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")):
        try:
            candidate = short_address(hop.strip())
        except ValueError:
            break
        address = candidate
        if candidate not in proxies:
            break
    return address


def neighbourhood(request: HttpRequest) -> str:
    """Return the addresses that one client may have: one of IPv4, or a network of 2**64 of IPv6."""
    address = ipaddress.ip_address(client_address(request))
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((address, 64), strict=False))
