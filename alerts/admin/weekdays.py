from typing import Any

from django import forms
from django.db.models import Field
from django.http import HttpRequest
from django.utils.dates import WEEKDAYS
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget


class Weekdays(forms.TypedMultipleChoiceField):
    """Days to tick; the model keeps their numbers, 0 Monday … 6 Sunday."""

    widget = UnfoldAdminCheckboxSelectMultipleWidget

    def __init__(self, help_text: str) -> None:
        super().__init__(
            choices=list(WEEKDAYS.items()),
            coerce=int,
            empty_value=[],
            required=False,
            help_text=help_text,
        )


class WithWeekdays(ModelAdmin):
    """Shows the field `weekdays` as days and not as numbers."""

    weekdays_help = "None ticked: every day."

    def formfield_for_dbfield(
        self, db_field: "Field[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "weekdays":
            return Weekdays(self.weekdays_help)
        return super().formfield_for_dbfield(db_field, request, **kwargs)
