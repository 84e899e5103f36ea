"""What the other side answers may repeat what we sent: the secrets in it are nobody's to read."""

from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

from django.conf import settings

from alerts.channels.base import setting
from alerts.models import Channel

# The settings of channels that open something; an address is one, or holds one.
SECRET = ("url", "token", "secret", "password", "routing_key")
# What is shorter stands in many a sentence by chance.
SHORTEST = 6
HIDDEN = "…"


def without_secrets(text: str, channel: Channel) -> str:
    """Return the text with everything left out that opens the channel.

    Many a web server answers an address that is gone by naming it.
    """
    pieces = {piece for secret in _secrets(channel) for piece in _pieces(secret)}
    for piece in sorted(pieces, key=len, reverse=True):
        if len(piece) >= SHORTEST:
            text = text.replace(piece, HIDDEN)
    return text


def _secrets(channel: Channel) -> Iterator[str]:
    yield from (setting(channel, name) for name in SECRET)
    yield from (
        *(settings.SLACK_WEBHOOK_URL, settings.SLACK_BOT_TOKEN),
        settings.TELEGRAM_BOT_TOKEN,
    )


def _pieces(secret: str) -> Iterator[str]:
    yield secret
    if "://" not in secret:
        return
    try:
        parts = urlsplit(secret)
    except ValueError:
        return
    yield from (f"{parts.path}?{parts.query}", parts.path)
    yield from (value for _name, value in parse_qsl(parts.query))
    yield parts.password or ""
