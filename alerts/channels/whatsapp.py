"""WhatsApp Cloud API: approved templates, because people did not write to us first."""

from typing import TYPE_CHECKING, Any

from alerts.channels.base import (
    ChannelError,
    Configurable,
    Outgoing,
    Receipt,
    answer_object,
    post,
    retry_after,
    setting,
)
from alerts.models import Channel

if TYPE_CHECKING:
    import httpx

API = "https://graph.facebook.com/v21.0"
TEMPLATE = "transaction_guardian_incident"
LANGUAGES = {"en": "en_US", "pt-br": "pt_BR"}
PARAMETER_AT_MOST = 600
# https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes: those that pass.
TRANSIENT = frozenset(
    {1, 2, 4, 80007, 130429, 131000, 131016, 131048, 131056, 131057, 133004, 133016}
)


class WhatsApp(Configurable):
    edits = False
    needs = ("phone_number_id", "token", "to")

    def send(self, channel: Channel, message: Outgoing) -> Receipt:
        address = f"{setting(channel, 'api') or API}/{setting(channel, 'phone_number_id')}/messages"
        headers = {"Authorization": f"Bearer {setting(channel, 'token')}"}
        found = _read(post(address, body=_body(channel, message), headers=headers))
        ids = [str(one.get("id", "")) for one in found.get("messages", [])]
        return Receipt(ids[0] if ids else "")


def _body(channel: Channel, message: Outgoing) -> dict[str, Any]:
    language = message.brief.language if message.brief else channel.speaks
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": setting(channel, "to"),
        "type": "template",
        "template": {
            "name": setting(channel, "template") or TEMPLATE,
            "language": {"code": LANGUAGES.get(language, "en_US")},
            "components": [
                {
                    "type": "body",
                    "parameters": [
                        {"type": "text", "text": _parameter(text)} for text in _texts(message)
                    ],
                }
            ],
        },
    }


def _texts(message: Outgoing) -> list[str]:
    """Return the template's four places: title, facts, first action, link."""
    brief = message.brief
    if brief is None:
        return [message.title, message.text, "-", "-"]
    title = f"{brief.banner}: {brief.headline}"
    return [title, " · ".join(brief.lines), brief.first_action or "-", brief.url]


def _parameter(text: str) -> str:
    # The API refuses line breaks, tabs and runs of spaces inside a parameter, and empty ones.
    return " ".join(text.split())[:PARAMETER_AT_MOST] or "-"


def _read(answer: "httpx.Response") -> dict[str, Any]:
    found = answer_object(answer)
    error = found.get("error")
    if answer.is_success and error is None:
        return found
    details = error if isinstance(error, dict) else {}
    code = int(details.get("code", 0))
    raise ChannelError(
        f"WhatsApp {code or answer.status_code}: {details.get('message', 'refused')}",
        permanent=answer.status_code < 500 and answer.status_code != 429 and code not in TRANSIENT,
        retry_after=retry_after(answer.headers.get("Retry-After")),
    )
