"""Card numbers must never get in: a body that seems to hold one is refused, not stored."""

import re

# A fourteenth digit with a dash or a space between the groups is still a card number.
_GROUPED = re.compile(r"(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)", re.ASCII)
# A UUID, or as many digits as a hash or an object id has: one in a thousand of them holds by chance
# what could be a card. Neither track 2 of a card, which is hexadecimal too, nor digits alone.
_HEXADECIMAL_ID = re.compile(
    r"(?<![0-9a-z])(?=[0-9a-f]{8})"
    r"(?!\d{12,19}d\d{0,64}f?(?![0-9a-z]))"
    r"(?=[\d-]{0,64}[a-f])"
    r"(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?:[0-9a-f]{8}){3,8})"
    r"(?![0-9a-z])",
    re.ASCII | re.IGNORECASE,
)
_FIRST_DIGITS = "23456"
_CENTURY = "20"
FORBIDDEN_NAMES = frozenset(
    {"pan", "card_number", "cardnumber", "card_no", "cvv", "cvv2", "cvc", "cvc2", "track2"}
)
_NAMES_IN_BODY = tuple(f'"{name}"'.encode() for name in sorted(FORBIDDEN_NAMES))
_DIGITS_TO_ZERO = bytes(
    ord("0") if chr(code).isdigit() and code < 128 else code for code in range(256)
)
_THIRTEEN_DIGITS = b"0" * 13


def luhn(digits: str) -> bool:
    """Tell whether the check digit of `digits` is right (ISO/IEC 7812-1).

    Examples
    --------
    >>> luhn("4111111111111111"), luhn("4111111111111112")
    (True, False)
    """
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def holds_card_number(text: str) -> bool:
    """Tell whether `text` has 13 to 19 digits that could be a payment card.

    Cards begin with 2 to 6 and none with 20, so that times in milliseconds (which begin with 1) and
    times written as digits alone pass. What stands in a hexadecimal id does not count.

    Examples
    --------
    >>> holds_card_number("paid with 4111 1111 1111 1111"), holds_card_number("1752327900000")
    (True, False)
    >>> ids = "313874cd-dfbc-423d-b246-548991270564", "20260304120005"
    >>> [holds_card_number(one) for one in ids]
    [False, False]
    """
    return _holds_card(text) and _holds_card(_HEXADECIMAL_ID.sub("#", text))


def _holds_card(text: str) -> bool:
    for found in _GROUPED.finditer(text):
        digits = re.sub(r"[ -]", "", found.group())
        if digits[0] in _FIRST_DIGITS and not digits.startswith(_CENTURY) and luhn(digits):
            return True
    return False


def may_hold_card(body: bytes) -> bool:
    """Tell quickly whether a body deserves the closer look; never says no wrongly.

    It runs over every body, so it looks for 13 digits in a row and for names, nothing more.
    """
    if body.translate(_DIGITS_TO_ZERO, b" -").find(_THIRTEEN_DIGITS) >= 0:
        return True
    lowered = body.lower()
    return any(name in lowered for name in _NAMES_IN_BODY)
