"""A message as an e-mail: subject, text, HTML."""

import html
from typing import TYPE_CHECKING

from alerts.messages import console
from alerts.messages.brief import Brief
from alerts.messages.phrases import say

if TYPE_CHECKING:
    from alerts.channels.base import Outgoing

PICTURE = "chart"
COLOURS = {"CRITICAL": "#d7263d", "WARNING": "#b86e00", "NORMAL": "#2a9d8f"}


def render(message: "Outgoing") -> tuple[str, str, str]:
    """Return the subject, the text and the HTML; HTML is empty where there is no incident."""
    if message.brief is None:
        return _one_line(message.title), message.text, ""
    brief = message.brief
    # The number at the end keeps an incident's mails together where threads are made by subject.
    subject = f"[{brief.banner}] {brief.headline} #{brief.incident}"
    return _one_line(subject), console.render(brief), _html(brief, bool(message.picture))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _html(brief: Brief, pictured: bool) -> str:
    tone = "NORMAL" if brief.over else brief.level
    lines = [f"<p>{html.escape(line)}</p>" for line in brief.lines]
    if pictured:
        alt = html.escape(brief.headline)
        lines.append(f'<p><img src="cid:{PICTURE}" alt="{alt}" width="480" height="160"></p>')
    if brief.first_action:
        first = html.escape(brief.first_action)
        lines.append(f"<p><strong>{say('first', brief.language)}:</strong> {first}</p>")
    if brief.runbook:
        label = say("runbook", brief.language)
        lines.append(f'<p><a href="{html.escape(brief.runbook)}">{label}</a></p>')
    head = f"{html.escape(brief.banner)} · {html.escape(brief.headline)}"
    return (
        f'<!doctype html><html lang="{brief.language}"><body style="font:16px sans-serif">'
        f'<h1 style="font-size:20px;color:{COLOURS[tone]}">{head}</h1>'
        f"{''.join(lines)}"
        f'<p><a href="{html.escape(brief.url)}">{html.escape(brief.link_text)}</a></p>'
        "</body></html>"
    )
