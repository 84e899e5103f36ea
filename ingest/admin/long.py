"""Lists of tables that grow every minute: nothing in them may look at every row."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import make_aware
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.paginator import InfinitePaginator
from unfold.utils import parse_datetime_str

from ingest.admin.moments import YEARS

MIDNIGHTS = {"from": "00:00:00", "to": "23:59:59"}


class Between(RangeDateTimeFilter):
    """The rows from one time to another, by the site's clock; a day alone is the whole day."""

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":
        ends = {"gte": self._moment("from"), "lte": self._moment("to")}
        return queryset.filter(
            **{f"{self.field_path}__{side}": end for side, end in ends.items() if end is not None}
        )

    def _moment(self, end: str) -> datetime | None:
        day, time = (
            self.used_parameters.get(f"{self.parameter_name}_{end}_{part}") for part in (0, 1)
        )
        found = parse_datetime_str(f"{day} {time or MIDNIGHTS[end]}")
        return make_aware(found) if found and found.year in YEARS else None


class Long:
    """A list of such a table: without a total, and without the days of `date_hierarchy`."""

    show_full_result_count = False
    paginator = InfinitePaginator
    list_per_page = 50
    list_filter_submit = True


def between(moment: str) -> tuple[str, type[Between]]:
    """Return the filter by a moment, for `list_filter`."""
    return (moment, Between)
