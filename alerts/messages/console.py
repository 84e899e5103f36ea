"""A message in a terminal."""

import textwrap

from alerts.messages.brief import Brief
from alerts.messages.phrases import say

WIDTH = 88
MARKS = {"CRITICAL": "●", "WARNING": "▲", "NORMAL": "·"}
COLOURS = {"CRITICAL": "\033[1;31m", "WARNING": "\033[1;33m", "NORMAL": "\033[1;32m"}
PLAIN = "\033[0m"


def render(brief: Brief, *, colour: bool = False) -> str:
    """Return the message as lines of text, the first one in the level's colour on request."""
    tone = "NORMAL" if brief.over else brief.level
    mark = "✓" if brief.over else MARKS[brief.level]
    head = f"{mark} {brief.banner} · {brief.headline}"
    body = [*brief.lines]
    if brief.first_action:
        body.append(f"{say('first', brief.language)}: {brief.first_action}")
    if brief.runbook:
        body.append(f"{say('runbook', brief.language)}: {brief.runbook}")
    body.append(f"{brief.link_text}: {brief.url}")
    wrapped = [
        textwrap.fill(
            _printable(line),
            WIDTH,
            initial_indent="  ",
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in body
    ]
    head = _printable(head)
    if colour:
        head = f"{COLOURS[tone]}{head}{PLAIN}"
    return "\n".join([head, *wrapped])


def _printable(text: str) -> str:
    # A source's name must not be able to move the cursor or clear the screen.
    return "".join(letter if letter.isprintable() else " " for letter in text)
