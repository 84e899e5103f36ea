"""Text of outsiders, made fit for a line of a log or a cell of a table."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def plain(text: object, longest: int = 200) -> str:
    r"""Return `text` on one line, without control or invisible direction characters.

    A line break would let a sender write a line of the log; a right-to-left mark, turn one round.

    Examples
    --------
    >>> plain("ana\n2026-01-01 ERROR forged")
    'ana�2026-01-01 ERROR forged'
    """
    clean = "".join(
        letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}"
        for letter in str(text)[: longest + 1]
    )
    return clean if len(clean) <= longest else f"{clean[: longest - 1]}…"


def cell(value: object) -> str:
    """Return `value` for a CSV cell, so that no spreadsheet takes it for a formula.

    A number may begin with a sign; any other text that begins like a formula gets an apostrophe.

    Examples
    --------
    >>> cell("=HYPERLINK(0)"), cell(-3), cell("-3"), cell("ana")
    ("'=HYPERLINK(0)", '-3', "'-3", 'ana')
    """
    text = "" if value is None else str(value)
    if isinstance(value, (int, float)) or not text.startswith(FORMULA_STARTS):
        return text
    return f"'{text}"
