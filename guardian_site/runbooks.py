"""The runbooks of deploy/runbooks as pages, so that a link in a message opens on a phone."""

import re
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe

FOLDER = Path(__file__).resolve().parent.parent / "deploy" / "runbooks"
_ITEM = re.compile(r"(?:-|\d+\.) +")
_INLINE = (
    (re.compile(r"`([^`]+)`"), r"<code>\1</code>"),
    (re.compile(r"\*\*([^*]+)\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"\*([^*]+)\*"), r"<em>\1</em>"),
)


def _inline(text: str) -> str:
    safe = str(escape(text))
    # Asterisks within code are no emphasis.
    pieces = re.split(r"(`[^`]+`)", safe)
    for pattern, markup in _INLINE:
        pieces = [
            pattern.sub(markup, piece)
            if piece.startswith("`") == ("`" in pattern.pattern)
            else piece
            for piece in pieces
        ]
    return "".join(pieces)


def _kind(line: str) -> str:
    if line.startswith("#"):
        return line
    if match := _ITEM.match(line):
        return "ul" if match[0].startswith("-") else "ol"
    return "p" if line else ""


def html_of(text: str) -> SafeString:
    """Return the little Markdown that runbooks are written in as HTML.

    Headings, paragraphs, lists, code and emphasis; everything else is shown as it is written.

    Examples
    --------
    >>> html_of("# Disk\\n\\n1. Look at `df <path>`")
    '<h1>Disk</h1>\\n<ol><li>Look at <code>df &lt;path&gt;</code></li></ol>'
    """
    blocks = []
    for kind, lines in groupby(text.splitlines(), key=_kind):
        if kind.startswith("#"):
            level = len(kind) - len(kind.lstrip("#"))
            blocks.append(f"<h{level}>{_inline(kind.lstrip('# '))}</h{level}>")
        elif kind == "p":
            blocks.append(f"<p>{_inline(' '.join(lines))}</p>")
        elif kind:
            items = "".join(f"<li>{_inline(_ITEM.sub('', line, count=1))}</li>" for line in lines)
            blocks.append(f"<{kind}>{items}</{kind}>")
    # Every piece of text went through escape() above.
    return mark_safe("\n".join(blocks))


@lru_cache(maxsize=128)
def _page(name: str) -> tuple[str, SafeString] | None:
    # Names come from outside: only a file that a listing of the folder gives is opened.
    found = {path.stem: path for path in FOLDER.glob("*.md")}.get(name)
    if found is None:
        return None
    text = found.read_text(encoding="utf-8")
    return text.splitlines()[0].lstrip("# "), html_of(text)


@require_safe
def runbook_view(request: HttpRequest, name: str) -> HttpResponse:
    page = _page(name)
    if page is None:
        raise Http404("There is no such runbook.")
    title, body = page
    return render(request, "runbook.html", {"here": "help", "title": title, "body": body})
