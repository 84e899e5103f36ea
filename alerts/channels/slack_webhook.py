"""Slack's incoming webhook: the simple form, one address, messages that cannot be changed."""

from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    import httpx


class SlackWebhook(Configurable):
    edits = False
    needs = ("url",)

    def value(self, channel: Channel, name: str) -> str:
        return setting(channel, name) or (settings.SLACK_WEBHOOK_URL if channel.builtin else "")

    def check(self, channel: Channel) -> None:
        if url := self.value(channel, "url"):
            read_address(url)

    def send(self, channel: Channel, message: Outgoing) -> Receipt:
        url = self.value(channel, "url")
        if message.brief is None:
            body = {"text": slack.escape(f"{message.title}\n{message.text}")}
        else:
            body = slack.payload(message.brief, image=message.image)
        answer = post(url, body=body)
        if _refuses_content(answer) and message.brief is not None and message.image:
            # An address of ours that Slack cannot reach costs the picture, not the message.
            answer = post(url, body=slack.payload(message.brief))
        if _refuses_content(answer):
            refuse_failure(answer, permanent=frozenset())
        # Slack answers 400, 403, 404 and 410 for a webhook that is gone or not allowed.
        refuse_failure(answer)
        return Receipt()


def _refuses_content(answer: "httpx.Response") -> bool:
    """Say whether it is the message that Slack does not take, and not the webhook."""
    said = answer.content.decode(errors="replace")
    return answer.status_code == 400 and any(code in said for code in slack.CONTENT_REFUSED)
