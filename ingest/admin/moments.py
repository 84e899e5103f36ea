"""Moments that people write in forms: within a calendar that every zone and database knows."""

from datetime import datetime
from typing import Any

from django.contrib.admin.options import BaseModelAdmin
from django.db.models import DateTimeField, Field
from django.forms import SplitDateTimeField, ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

# No payment lies outside of these years, and not every database takes what does: the last evening
# of the year 9999 may lie in the year 10000 in UTC.
YEARS = range(1970, 3000)


class Moment(SplitDateTimeField):
    def clean(self, value: Any) -> datetime | None:
        found: datetime | None = super().clean(value)
        if found is not None and found.year not in YEARS:
            raise ValidationError(_("A day from 1970 to 2999."))
        return found


class InCalendar(BaseModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """A form whose moments must lie within YEARS."""

    def formfield_for_dbfield(
        self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        if isinstance(db_field, DateTimeField):
            kwargs["form_class"] = Moment
        return super().formfield_for_dbfield(db_field, request, **kwargs)
