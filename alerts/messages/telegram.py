"""A message as Telegram's HTML."""

import html
from typing import Any

from alerts.messages.brief import Brief
from alerts.messages.phrases import say

MARKS = {"CRITICAL": "🔴", "WARNING": "🟡", "NORMAL": "⚪"}
TEXT_AT_MOST = 4096
BUTTONS = ("acknowledge", "resolve", "silence", "false_positive")


def escape(text: str) -> str:
    """Escape what Telegram's HTML mode reads as markup.

    Examples
    --------
    >>> escape("LOW_VOLUME: 12 < 50 & falling")
    'LOW_VOLUME: 12 &lt; 50 &amp; falling'
    """
    return html.escape(text, quote=False)


def render(brief: Brief) -> str:
    """Return the message; if it is too long, whole lines are left out from the end."""
    head = f"{_mark(brief)} <b>{escape(brief.banner)}</b> · <b>{escape(brief.headline)}</b>"
    tail = f'<a href="{html.escape(brief.url)}">{escape(brief.link_text)}</a>'
    lines = [escape(line) for line in brief.lines]
    if brief.first_action:
        lines.append(f"<b>{say('first', brief.language)}:</b> {escape(brief.first_action)}")
    if brief.runbook:
        runbook = say("runbook", brief.language)
        lines.append(f'<a href="{html.escape(brief.runbook)}">{runbook}</a>')
    while lines and len("\n".join([head, *lines, tail])) > TEXT_AT_MOST:
        lines.pop()
    return "\n".join([head, *lines, tail])


def short(brief: Brief) -> str:
    """Return one line of news."""
    return f"{_mark(brief)} {escape(brief.text)}"[:TEXT_AT_MOST]


def plain(title: str, text: str) -> str:
    """Return a text that belongs to no incident."""
    lines = [f"<b>{escape(title)}</b>", *(escape(line) for line in text.splitlines())]
    while len("\n".join(lines)) > TEXT_AT_MOST:
        lines.pop()
    return "\n".join(lines)


def keyboard(brief: Brief) -> list[list[dict[str, Any]]]:
    """Return the buttons that the incident's state allows, two in a row."""
    wanted = {"silence": brief.ongoing, "false_positive": "close" in brief.permitted}
    buttons = [
        {
            "text": say(f"button.{name}", brief.language),
            "callback_data": f"{name}:{brief.incident}",
        }
        for name in BUTTONS
        if brief.ongoing and wanted.get(name, name in brief.permitted)
    ]
    return [buttons[start : start + 2] for start in range(0, len(buttons), 2)]


def _mark(brief: Brief) -> str:
    return "✅" if brief.over else MARKS[brief.level]
