"""Everything else, through the apprise library where it is installed."""

from importlib import import_module
from importlib.util import find_spec
from urllib.parse import urlsplit

from alerts.channels.base import ChannelError, Configurable, Outgoing, Receipt, setting
from alerts.channels.webhook import public_address
from alerts.messages import console
from alerts.models import Channel

UNKNOWN = "apprise does not know this address"


class AppriseBridge(Configurable):
    edits = False
    needs = ("url",)

    def check(self, channel: Channel) -> None:
        url = setting(channel, "url")
        if url and "://" not in url:
            raise ChannelError(UNKNOWN, permanent=True)
        if url and not channel.configuration.get("allow_private"):
            refuse_private_host(url)

    def send(self, channel: Channel, message: Outgoing) -> Receipt:
        if find_spec("apprise") is None:
            raise ChannelError("install it with: pip install apprise", permanent=True)
        url = setting(channel, "url")
        if not channel.configuration.get("allow_private"):
            refuse_private_host(url)
        apprise = import_module("apprise")
        bridge = apprise.Apprise()
        if not bridge.add(url):
            raise ChannelError(UNKNOWN, permanent=True)
        title, text, tone = message.title, message.text, "info"
        if message.brief is not None:
            title = f"{message.brief.banner}: {message.brief.headline}"
            text = console.render(message.brief)
            tone = _tone(message)
        # It says only whether, not why: a refusal is tried again until the message is given up.
        if not bridge.notify(body=text, title=title, notify_type=tone):
            raise ChannelError("apprise could not deliver it")
        return Receipt()


def refuse_private_host(url: str) -> None:
    """Refuse an address that names a host inside our network.

    Many of apprise's addresses name no host but a token, and a token must not be asked of the
    name server; so only what looks like a host is looked up.

    Raises
    ------
    ChannelError
    """
    try:
        host = urlsplit(url).hostname or ""
    except ValueError as error:
        raise ChannelError(UNKNOWN, permanent=True) from error
    if host == "localhost" or "." in host or ":" in host:
        written = f"[{host}]" if ":" in host else host
        public_address(f"https://{written}")


def _tone(message: Outgoing) -> str:
    assert message.brief is not None
    if message.brief.over:
        return "success"
    return "failure" if message.brief.level == "CRITICAL" else "warning"
