"""A body is taken as it is meant: a field that nobody reads is refused, never passed over.

Passed over, a mistyped `source` would let a call reach every source.
"""

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from itertools import islice
from typing import Any, TypeVar

from rest_framework import serializers

from ingest.refusals import NAMED_AT_MOST

# Longer than any field of ours: to look for its like would only cost time.
LONGEST_NAME = 64
Row = TypeVar("Row")


def unknown_fields(sent: Iterable[str], known: Collection[str]) -> dict[str, str]:
    """Return what is wrong with each field sent that is not known, and which one was meant.

    Examples
    --------
    >>> unknown_fields(["sorce", "policy"], ["source", "ends"])
    {'sorce': 'is not a field here; did you mean "source"?', 'policy': 'is not a field here'}
    """
    unknown = (name for name in sent if name not in known)
    return {name: _what_is_wrong(name, known) for name in islice(unknown, NAMED_AT_MOST)}


def _what_is_wrong(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, known, n=1) if len(name) <= LONGEST_NAME else []
    meant = f'; did you mean "{close[0]}"?' if close else ""
    return f"is not a field here{meant}"


# Without a docstring: the description of the API would repeat it for every body.
class ExactSerializer(serializers.Serializer[Row]):
    def to_internal_value(self, data: Any) -> Any:
        wrong = unknown_fields(data, self.fields) if isinstance(data, Mapping) else {}
        try:
            value = super().to_internal_value(data)
        except serializers.ValidationError as refusal:
            if not wrong or not isinstance(refusal.detail, dict):
                raise
            raise serializers.ValidationError({**wrong, **refusal.detail}) from None
        if wrong:
            raise serializers.ValidationError(wrong)
        return value
