"""A message as Slack's Block Kit."""

from typing import Any

from alerts.messages.brief import Brief
from alerts.messages.phrases import say

COLOURS = {"CRITICAL": "#d7263d", "WARNING": "#f2a541", "NORMAL": "#2a9d8f"}
MARKS = {"CRITICAL": "🔴", "WARNING": "🟡", "NORMAL": "⚪"}
SECTION_AT_MOST = 3000
# How Slack refuses a message for what is in it, as for a picture that it cannot fetch.
CONTENT_REFUSED = frozenset({"invalid_blocks", "invalid_attachments"})
BUTTONS = ("acknowledge", "resolve", "silence", "false_positive")


def escape(text: str) -> str:
    """Escape the three letters that Slack reads as markup, so that a name stays a name.

    Examples
    --------
    >>> escape("12 < 50 & <!channel>")
    '12 &lt; 50 &amp; &lt;!channel&gt;'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def payload(brief: Brief, *, buttons: bool = False, image: str = "") -> dict[str, Any]:
    """Return the body of a message: its headline and one coloured attachment of blocks.

    Blocks in an attachment leave the text standing above them: there what broke is said, once.
    """
    tone = "NORMAL" if brief.over else brief.level
    return {
        "text": f"{_mark(brief)} *{escape(f'{brief.banner}: {brief.headline}')}*",
        "attachments": [
            {
                "color": COLOURS[tone],
                "fallback": escape(brief.text),
                "blocks": blocks(brief, buttons=buttons, image=image),
            }
        ],
    }


def blocks(brief: Brief, *, buttons: bool, image: str = "") -> list[dict[str, Any]]:
    """Return the blocks: the facts, what to do first, where to look."""
    found = []
    if brief.lines:
        found.append(_section("\n".join(escape(line) for line in brief.lines)))
    if brief.first_action:
        first = f"*{say('first', brief.language)}:* {escape(brief.first_action)}"
        found.append(_section(first))
    if image:
        found.append({"type": "image", "image_url": image, "alt_text": brief.headline[:2000]})
    if buttons and (pressed := _buttons(brief)):
        block = f"incident-{brief.incident}"
        found.append({"type": "actions", "block_id": block, "elements": pressed})
    found.append(_links(brief))
    return found


def thread_text(brief: Brief) -> str:
    """Return what is said in the thread under an edited message."""
    return escape(brief.text)


def _mark(brief: Brief) -> str:
    return "✅" if brief.over else MARKS[brief.level]


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:SECTION_AT_MOST]}}


def _links(brief: Brief) -> dict[str, Any]:
    links = [f"<{brief.url}|{escape(brief.link_text)}>"]
    if brief.runbook:
        links.append(f"<{brief.runbook}|{say('runbook', brief.language)}>")
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": " · ".join(links)}]}


def _buttons(brief: Brief) -> list[dict[str, Any]]:
    wanted = {"silence": brief.ongoing, "false_positive": "close" in brief.permitted}
    buttons = []
    for name in BUTTONS:
        if not wanted.get(name, name in brief.permitted):
            continue
        button: dict[str, Any] = {
            "type": "button",
            "action_id": name,
            "value": str(brief.incident),
            "text": {"type": "plain_text", "text": say(f"button.{name}", brief.language)},
        }
        if name == "acknowledge":
            button["style"] = "primary"
        buttons.append(button)
    return buttons
