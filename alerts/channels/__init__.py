"""Every kind of channel, one small file each; a new one is a class and a line here."""

from alerts.channels.base import Adapter, ChannelError, Outgoing, Receipt
from alerts.channels.console import Console
from alerts.channels.slack_webhook import SlackWebhook
from alerts.models import Channel

ADAPTERS: dict[str, Adapter] = {
    Channel.Kind.CONSOLE: Console(),
    Channel.Kind.SLACK_WEBHOOK: SlackWebhook(),
}


def adapter_of(channel: Channel) -> Adapter:
    """Return what knows how to send to channels of this kind."""
    return ADAPTERS[channel.kind]


__all__ = ["ADAPTERS", "Adapter", "ChannelError", "Outgoing", "Receipt", "adapter_of"]
