"""A signed POST to an address of the user's choice, never into our own network."""

import hashlib
import hmac
import ipaddress
import json
import socket

from alerts.channels.base import (
    ChannelError,
    Configurable,
    Outgoing,
    Receipt,
    post,
    read_address,
    refuse_failure,
    setting,
)
from alerts.models import Channel
from ingest import steady_clock

BROKEN = frozenset({401, 403, 404, 405, 410})


class Webhook(Configurable):
    edits = True
    needs = ("url", "secret")

    def check(self, channel: Channel) -> None:
        url = setting(channel, "url")
        if url and channel.configuration.get("allow_private"):
            read_address(url)
        elif url:
            public_address(url)

    def send(self, channel: Channel, message: Outgoing) -> Receipt:
        url = setting(channel, "url")
        address = None
        if not channel.configuration.get("allow_private"):
            address = public_address(url)
        content = json.dumps(body_of(message), ensure_ascii=False).encode()
        moment = int(steady_clock.now().timestamp())
        secret = setting(channel, "secret")
        headers = signed_headers(secret, content, key=message.key, moment=moment)
        refuse_failure(
            post(url, content=content, headers=headers, address=address), permanent=BROKEN
        )
        return Receipt(message.key)


def body_of(message: Outgoing) -> dict[str, object]:
    """Return the JSON object that is sent."""
    brief = message.brief
    if brief is None:
        return {
            "id": message.key,
            "kind": message.kind,
            "title": message.title,
            "text": message.text,
        }
    return {
        "id": message.key,
        "kind": message.kind,
        "incident": brief.incident,
        "state": brief.state,
        "level": brief.level,
        "source": brief.source,
        "family": brief.family,
        "title": f"{brief.banner}: {brief.headline}",
        "facts": brief.lines,
        "first_action": brief.first_action,
        "runbook": brief.runbook,
        "url": brief.url,
        "image": message.image,
    }


def signed_headers(secret: str, content: bytes, *, key: str, moment: int) -> dict[str, str]:
    """Return headers with which the receiver can tell that it is us, now, and not again.

    The signature is the HMAC-SHA256 of “timestamp.body”; `X-Guardian-Delivery` is the same for
    every try of one message.
    """
    proof = hmac.new(secret.encode(), f"{moment}.".encode() + content, hashlib.sha256)
    return {
        "Content-Type": "application/json",
        "User-Agent": "transaction-guardian",
        "X-Guardian-Delivery": key,
        "X-Guardian-Timestamp": str(moment),
        "X-Guardian-Signature": f"v1={proof.hexdigest()}",
    }


def public_address(url: str) -> str:
    """Return the one address to call, after making sure that it is not inside our network.

    The request goes to exactly this address: a name that answers differently a moment later
    cannot lead it elsewhere.

    Raises
    ------
    ChannelError
        If the address is not http(s), or any of its addresses is not public.
    """
    parts = read_address(url)
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ChannelError(f"the name {parts.hostname} is not known now") from error
    addresses = [str(entry[4][0]).split("%")[0] for entry in found]
    for address in addresses:
        if not _is_public(address):
            raise ChannelError(
                f"{parts.hostname} is inside a private network; an administrator can allow it"
                " with “allow_private”",
                permanent=True,
            )
    return addresses[0]


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address)
    # An IPv4 address may travel inside of an IPv6 one; it is the inner one that is reached.
    inner = getattr(found, "ipv4_mapped", None) or getattr(found, "sixtofour", None)
    found = inner or found
    odd = found.is_multicast or found.is_reserved or getattr(found, "is_site_local", False)
    return found.is_global and not odd
