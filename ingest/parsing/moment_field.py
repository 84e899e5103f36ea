"""Moments in bodies and queries."""

from datetime import datetime
from typing import Any

from rest_framework import serializers


class MomentField(serializers.DateTimeField):
    """A date and time, local to the site where it names no zone, that UTC has as well.

    At either end of the calendar a zone has hours that UTC has not; DRF breaks on them.
    """

    def to_internal_value(self, value: Any) -> datetime:
        try:
            found: datetime = super().to_internal_value(value)
        except OverflowError:
            self.fail("overflow")
        return found
