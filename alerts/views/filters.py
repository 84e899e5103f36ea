"""Which incidents a reader asked for."""

from datetime import date
from typing import Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import QueryDict
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from alerts.lifecycle import State
from alerts.models.incident import FAMILIES
from alerts.selectors.choosing import listed
from alerts.selectors.incidents import Filters
from alerts.selectors.live import reporting_sources
from alerts.selectors.visibility import Seen, seen_by
from detection.models import Level
from ingest.models import Source

GOING_ON, OVER = "ongoing", "over"
MINE, NOBODYS = "mine", "nobody"
# No day of payments lies outside, and not every zone has its midnights.
DAYS = (MinValueValidator(date(1970, 1, 1)), MaxValueValidator(date(2999, 12, 31)))
DATE = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def _any_of(choices: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    return [("", _("any")), *((value, _(title)) for value, title in choices)]


class IncidentFilter(forms.Form):
    """The query of the list; a field that makes no sense is shown as wrong and filters nothing."""

    q = forms.CharField(
        label=_("Search"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": _("number or words")}),
    )
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=_any_of([(GOING_ON, _("Ongoing")), (OVER, _("Ended")), *State.choices]),
    )
    level = forms.ChoiceField(
        label=_("Level"), required=False, choices=_any_of(list(Level.choices[1:]))
    )
    family = forms.ChoiceField(label=_("Family"), required=False, choices=_any_of(FAMILIES))
    source = forms.ModelChoiceField(
        label=_("Source"),
        required=False,
        queryset=Source.objects.none(),
        to_field_name="name",
        empty_label=_("any"),
        error_messages={"invalid_choice": _("There is no source with this name.")},
    )
    whose = forms.ChoiceField(
        label=_("Handled by"),
        required=False,
        choices=_any_of([(MINE, _("me")), (NOBODYS, _("nobody"))]),
    )
    since = forms.DateField(label=_("From"), required=False, widget=DATE, validators=DAYS)
    until = forms.DateField(label=_("To"), required=False, widget=DATE, validators=DAYS)

    def __init__(self, query: QueryDict, seen: Seen, *, reader: str = "") -> None:
        super().__init__(query)
        self.reader = reader
        if not reader:
            del self.fields["whose"]
        sources = self.fields["source"]
        assert isinstance(sources, forms.ModelChoiceField)
        sources.queryset = seen_by(reporting_sources(), seen, "pk")
        if listed(sources.queryset) is None:
            sources.widget = forms.TextInput(
                attrs={
                    "type": "search",
                    "placeholder": _("any"),
                    "autocomplete": "off",
                    "data-names": reverse("source-names"),
                }
            )
        self.full_clean()

    def words(self) -> str:
        return str(self.cleaned_data.get("q", ""))

    def filters(self) -> Filters:
        asked = self.cleaned_data
        state = asked.get("state", "")
        source = asked.get("source")
        return Filters(
            state="" if state in (GOING_ON, OVER) else state,
            ongoing={GOING_ON: True, OVER: False}.get(state),
            level=asked.get("level", ""),
            family=asked.get("family", ""),
            source=source.name if source else "",
            holder={MINE: self.reader, NOBODYS: ""}.get(asked.get("whose", "")),
            first_day=asked.get("since"),
            last_day=asked.get("until"),
        )

    def query(self) -> str:
        """Return the query string of the same list, without its page."""
        return urlencode({k: v for k, v in self.data.items() if v and k in self.fields})
