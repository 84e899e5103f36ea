"""Slack's incoming webhook: the simple form, one address, messages that cannot be changed."""

from django.conf import settings

from alerts.channels.base import Outgoing, Receipt, post, refuse_failure, setting
from alerts.messages import slack
from alerts.models import Channel


class SlackWebhook:
    edits = False
    needs = ("url",)

    def configured(self, channel: Channel) -> bool:
        return bool(self._url(channel))

    def send(self, channel: Channel, message: Outgoing) -> Receipt:
        if message.brief is not None:
            body = slack.payload(message.brief, image=message.image)
        else:
            body = {"text": slack.escape(f"{message.title}\n{message.text}")}
        # Slack answers 400, 403, 404 and 410 for a webhook that is gone or not allowed.
        refuse_failure(post(self._url(channel), body=body))
        return Receipt()

    def _url(self, channel: Channel) -> str:
        return setting(channel, "url") or (settings.SLACK_WEBHOOK_URL if channel.builtin else "")
