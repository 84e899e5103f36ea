"""Slack's incoming webhook: the simple form, one address, messages that cannot be changed."""

from django.conf import settings

from alerts.channels.base import (
    Configurable,
    Outgoing,
    Receipt,
    post,
    read_address,
    refuse_failure,
    setting,
)
from alerts.messages import slack
from alerts.models import Channel


class SlackWebhook(Configurable):
    edits = False
    needs = ("url",)

    def value(self, channel: Channel, name: str) -> str:
        return setting(channel, name) or (settings.SLACK_WEBHOOK_URL if channel.builtin else "")

    def check(self, channel: Channel) -> None:
        if url := self.value(channel, "url"):
            read_address(url)

    def send(self, channel: Channel, message: Outgoing) -> Receipt:
        if message.brief is not None:
            body = slack.payload(message.brief, image=message.image)
        else:
            body = {"text": slack.escape(f"{message.title}\n{message.text}")}
        # Slack answers 400, 403, 404 and 410 for a webhook that is gone or not allowed.
        refuse_failure(post(self.value(channel, "url"), body=body))
        return Receipt()
