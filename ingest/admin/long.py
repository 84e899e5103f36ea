"""Lists of tables that grow every minute: nothing in them may look at every row."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import make_aware
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.paginator import InfinitePaginator
from unfold.utils import parse_datetime_str

from ingest.admin.moments import YEARS

DAY = timedelta(days=1)


class Between(RangeDateTimeFilter):
    """The rows from one time to another, by the site's clock; a day alone is the whole day."""

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        return queryset.filter(
            **{f"{self.field_path}__{side}": moment for side, moment in self._ends()}
        )

    def _ends(self) -> Iterator[tuple[str, datetime]]:
        for end in ("from", "to"):
            day, time = (
                self.used_parameters.get(f"{self.parameter_name}_{end}_{part}") for part in (0, 1)
            )
            found = parse_datetime_str(f"{day} {time or '00:00:00'}")
            if found is None or found.year not in YEARS:
                continue
            if end == "from":
                yield "gte", make_aware(found)
            elif time:
                # Of a time that the clock shows twice the second: the first is before it.
                both = [make_aware(found.replace(fold=fold)).astimezone(UTC) for fold in (0, 1)]
                yield "lte", max(both)
            else:
                yield "lt", make_aware(found + DAY)


class Long:
    """A list of such a table: without a total, and without the days of `date_hierarchy`."""

    show_full_result_count = False
    paginator = InfinitePaginator
    list_per_page = 50
    list_filter_submit = True


def between(moment: str) -> tuple[str, type[Between]]:
    """Return the filter by a moment, for `list_filter`."""
    return (moment, Between)
