"""Moments that people write in forms: within a calendar that every zone and database knows."""

from datetime import UTC, date, datetime, time
from typing import Any

from django.contrib.admin.options import BaseModelAdmin
from django.db.models import DateTimeField, Field
from django.forms import BaseForm, BoundField, SplitDateTimeField, ValidationError
from django.forms.utils import to_current_timezone
from django.http import HttpRequest
from django.utils.timezone import get_current_timezone, make_aware
from django.utils.translation import gettext as _

from ingest import steady_clock

# No payment lies outside of these years, and not every database takes what does: the last evening
# of the year 9999 may lie in the year 10000 in UTC.
YEARS = range(1970, 3000)


class Moment(SplitDateTimeField):
    """A moment by the clock of the site, also where that is set back or forward."""

    stored: datetime | None = None

    def get_bound_field(self, form: BaseForm, field_name: str) -> BoundField:
        self.stored = form.get_initial_for_field(self, field_name)
        return super().get_bound_field(form, field_name)

    def compress(self, data_list: tuple[date, time] | None) -> datetime | None:
        try:
            found: datetime | None = super().compress(data_list)
        except ValidationError as fault:
            if data_list is None or fault.code != "ambiguous_timezone":
                raise
            return self._changed_clock(datetime.combine(*data_list), fault)
        if found is not None and found.year not in YEARS:
            raise ValidationError(_("A day from 1970 to 2999."))
        return found

    def _changed_clock(self, shown: datetime, fault: ValidationError) -> datetime:
        """Return what is meant by a time that the clock shows twice, or never, in UTC.

        What nobody changed stays. Of two the first is meant, until the clock is set back; what is
        left out comes as much later.
        """
        if shown.year not in YEARS:
            raise fault
        if self.stored is not None and to_current_timezone(self.stored) == shown:
            return self.stored
        first, again = (make_aware(shown.replace(fold=fold)).astimezone(UTC) for fold in (0, 1))
        now = steady_clock.now()
        set_back = again <= now or now.astimezone(get_current_timezone()).fold
        return again if first < again and set_back else first


class InCalendar(BaseModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """A form whose moments must lie within YEARS."""

    def formfield_for_dbfield(
        self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        if isinstance(db_field, DateTimeField):
            kwargs["form_class"] = Moment
        return super().formfield_for_dbfield(db_field, request, **kwargs)
