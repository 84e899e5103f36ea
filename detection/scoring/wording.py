"""Sentences in two languages: said and stored in English, told in the language of the reader."""

import re
import string
from collections.abc import Iterable
from functools import cached_property

PORTUGUESE = "pt-br"
WHOLE = r"-?\d+"
NUMBER = r"[+-]?\d[\d,]*(?:\.\d+)?(?:e[+-]\d+)?"


class Sentence:
    """One thing that can be said of some facts, and the same in Portuguese.

    The fields of the English text are those of `str.format`. `{seen:.0f}` is a number, which the
    Portuguese writes its own way; `{minutes:d}` is written alike in both, as ids and minutes are;
    `{name}` is any text, or one of the sentences that `parts` lists for it.

    Examples
    --------
    >>> gone = Sentence("{seen:,.0f} gone in {minutes:d} min", "{seen} a menos em {minutes} min")
    >>> gone.say(seen=1225, minutes=12)
    '1,225 gone in 12 min'
    >>> gone.told("1,225 gone in 12 min")
    '1.225 a menos em 12 min'
    """

    def __init__(self, english: str, portuguese: str, **parts: "Iterable[Sentence]") -> None:
        self.english = english
        self.portuguese = portuguese
        self.parts = {name: tuple(part) for name, part in parts.items()}

    def __repr__(self) -> str:
        return f"Sentence({self.english!r})"

    def say(self, **facts: object) -> str:
        """Return the English text with its facts."""
        return self.english.format(**facts)

    def words(self, language: str) -> str:
        """Return the text in a language, its fields unfilled."""
        return self.portuguese if language == PORTUGUESE else self.english

    def told(self, text: str) -> str | None:
        """Return in Portuguese what an English text says; None if it is not this sentence."""
        found = self.facts(text)
        if found is None:
            return None
        facts = {name: self._fact(name, value) for name, value in found.items()}
        return self.portuguese.format(**facts)

    def facts(self, text: str) -> dict[str, str] | None:
        """Return what stands in the fields of an English text; None if it is not this sentence.

        Examples
        --------
        >>> Sentence("{what} to {whom}", "{what} a {whom}").facts("opened to slack")
        {'what': 'opened', 'whom': 'slack'}
        """
        found = self._form.fullmatch(text)
        return None if found is None else found.groupdict()

    @cached_property
    def _kinds(self) -> dict[str, str]:
        fields = string.Formatter().parse(self.english)
        return {name: (kind or "")[-1:] for _, name, kind, _ in fields if name}

    @cached_property
    def _form(self) -> re.Pattern[str]:
        return re.compile(self._pattern(named=True), re.DOTALL)

    def _pattern(self, *, named: bool) -> str:
        form = ""
        for before, name, _, _ in string.Formatter().parse(self.english):
            form += re.escape(before)
            if name:
                form += f"(?{f'P<{name}>' if named else ':'}{self._pattern_of(name)})"
        return form

    def _pattern_of(self, name: str) -> str:
        if name in self.parts:
            return "|".join(part._pattern(named=False) for part in self.parts[name])
        return {"": ".+?", "d": WHOLE}.get(self._kinds[name], NUMBER)

    def _fact(self, name: str, value: str) -> str:
        if name in self.parts:
            return told(value, self.parts[name], PORTUGUESE)
        return portuguese_number(value) if self._kinds[name] in ("f", "g") else value


def told(text: str, sentences: Iterable[Sentence], language: str) -> str:
    """Return a stored text in the language of the reader; what is none of the sentences as it is.

    Examples
    --------
    >>> done = Sentence("done", "feito")
    >>> told("done", [done], "pt-br"), told("done", [done], "en"), told("gone", [done], "pt-br")
    ('feito', 'done', 'gone')
    """
    if language != PORTUGUESE:
        return text
    found = (one.told(text) for one in sentences)
    return next((each for each in found if each is not None), text)


def portuguese_number(text: str) -> str:
    """Write an English number as Brazilians do: thousands by points, decimals by a comma.

    Examples
    --------
    >>> [portuguese_number(text) for text in ("1225", "12,345.6", "-75", "0.8123", "1.2e+04")]
    ['1.225', '12.345,6', '-75', '0,8123', '1,2e+04']
    """
    whole, point, rest = text.replace(",", "").partition(".")
    sign = whole[:1] if whole[:1] in ("+", "-") else ""
    digits = whole.removeprefix(sign)
    grouped = f"{int(digits):,}".replace(",", ".") if digits.isdigit() else digits
    return f"{sign}{grouped}{',' if point else ''}{rest}"
