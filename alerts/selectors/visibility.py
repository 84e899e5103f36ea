"""Whose rows a reader may see."""

from collections.abc import Collection
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

# Ids of sources; None is all of them.
M = TypeVar("M", bound=Model)
Seen = Collection[int] | None


def seen_by(rows: QuerySet[M], seen: Seen, field: str = "source_id") -> QuerySet[M]:
    """Return the rows of the sources that a reader may see."""
    wanted: dict[str, Any] = {} if seen is None else {f"{field}__in": seen}
    return rows.filter(**wanted)
