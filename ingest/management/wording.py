"""Numbers as commands say them."""


def counted(number: int, one: str, many: str) -> str:
    """Return a number with the word for it.

    Examples
    --------
    >>> counted(1, "line", "lines"), counted(2500, "entry", "entries")
    ('1 line', '2,500 entries')
    """
    return f"{number:,} {one if number == 1 else many}"
