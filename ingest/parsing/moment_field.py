"""Moments in bodies and queries."""

from datetime import UTC, datetime
from typing import Any

from django.utils.timezone import is_naive, make_aware
from rest_framework import serializers


class MomentField(serializers.DateTimeField):
    """A date and time, local to the site where it names no zone, that UTC has as well.

    At either end of the calendar a zone has hours that UTC has not; DRF breaks on them.
    """

    def to_internal_value(self, value: Any) -> datetime:
        if isinstance(value, str) and "T" in value:
            # In a query a “+” that was not escaped arrives as a space.
            value = value.replace(" ", "+")
        try:
            found: datetime = super().to_internal_value(value).astimezone(UTC)
        except OverflowError:
            self.fail("overflow")
        return found

    def enforce_timezone(self, value: datetime) -> datetime:
        # DRF refuses what the clock of the site shows twice or never, which some midnights are.
        # The first is meant, or as much later.
        if is_naive(value):
            value = make_aware(value).astimezone(UTC)
        zoned: datetime = super().enforce_timezone(value)
        return zoned
