"""Everything else, through the apprise library where it is installed."""

from importlib import import_module
from importlib.util import find_spec

from alerts.channels.base import ChannelError, Outgoing, Receipt, setting
from alerts.messages import console
from alerts.models import Channel


class AppriseBridge:
    edits = False
    needs = ("url",)

    def configured(self, channel: Channel) -> bool:
        return bool(setting(channel, "url"))

    def send(self, channel: Channel, message: Outgoing) -> Receipt:
        if find_spec("apprise") is None:
            raise ChannelError("install it with: pip install apprise", permanent=True)
        apprise = import_module("apprise")
        bridge = apprise.Apprise()
        if not bridge.add(setting(channel, "url")):
            raise ChannelError("apprise does not know this address", permanent=True)
        title, text, tone = message.title, message.text, "info"
        if message.brief is not None:
            title = f"{message.brief.banner}: {message.brief.headline}"
            text = console.render(message.brief)
            tone = _tone(message)
        # It says only whether, not why: a refusal is tried again until the message is given up.
        if not bridge.notify(body=text, title=title, notify_type=tone):
            raise ChannelError("apprise could not deliver it")
        return Receipt()


def _tone(message: Outgoing) -> str:
    assert message.brief is not None
    if not message.brief.ongoing:
        return "success"
    return "failure" if message.brief.level == "CRITICAL" else "warning"
