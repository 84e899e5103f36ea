"""Every kind of channel, one small file each; a new one is a class and a line here."""

from alerts.channels.alertmanager import Alertmanager
from alerts.channels.apprise_bridge import AppriseBridge
from alerts.channels.base import Adapter, ChannelError, Outgoing, Receipt
from alerts.channels.console import Console
from alerts.channels.email import Email
from alerts.channels.pagerduty import PagerDuty
from alerts.channels.sink import Sink
from alerts.channels.slack_bot import SlackBot
from alerts.channels.slack_webhook import SlackWebhook
from alerts.channels.telegram import Telegram
from alerts.channels.webhook import Webhook
from alerts.channels.whatsapp import WhatsApp
from alerts.models import Channel

Kind = Channel.Kind
ADAPTERS: dict[str, Adapter] = {
    Kind.CONSOLE.value: Console(),
    Kind.SLACK_WEBHOOK.value: SlackWebhook(),
    Kind.SLACK_BOT.value: SlackBot(),
    Kind.EMAIL.value: Email(),
    Kind.WEBHOOK.value: Webhook(),
    Kind.TELEGRAM.value: Telegram(),
    Kind.WHATSAPP.value: WhatsApp(),
    Kind.PAGERDUTY.value: PagerDuty(),
    Kind.ALERTMANAGER.value: Alertmanager(),
    Kind.APPRISE.value: AppriseBridge(),
    Kind.SINK.value: Sink(),
}


def adapter_of(channel: Channel) -> Adapter:
    """Return what knows how to send to channels of this kind."""
    return ADAPTERS[channel.kind]


__all__ = ["ADAPTERS", "Adapter", "ChannelError", "Outgoing", "Receipt", "adapter_of"]
