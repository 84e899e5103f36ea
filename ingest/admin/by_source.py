"""Lists and forms that name sources, of which there may be a hundred thousand."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.admin.widgets import ManyToManyRawIdWidget
from django.db.models import ManyToManyField
from django.forms import ModelMultipleChoiceField
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import AutocompleteSelectFilter

# For `list_filter`: a source is found by typing a part of its name, not in a list of all.
BY_SOURCE = ("source", AutocompleteSelectFilter)
# Sources typed one by one: each is a field of the form, and a request may hold a thousand fields.
MOST_TYPED = 200


class BySource:
    """A list with the filter BY_SOURCE: it is a field to type in, so the list needs a button."""

    list_filter_submit = True


class SomeSources(ModelAdmin):
    """A form with `sources`: up to MOST_TYPED are typed by name, more stand in one field by id."""

    autocomplete_fields = ("sources",)
    admin_site: AdminSite

    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> "ModelMultipleChoiceField[Any] | None":
        if db_field.name == "sources" and _are_many(db_field, request):
            kwargs["widget"] = ManyToManyRawIdWidget(db_field.remote_field, self.admin_site)
        field: ModelMultipleChoiceField[Any] | None = super().formfield_for_manytomany(
            db_field, request, **kwargs
        )
        return field


def _are_many(db_field: Any, request: HttpRequest) -> bool:
    number = request.resolver_match and request.resolver_match.kwargs.get("object_id")
    chosen = db_field.remote_field.through.objects.filter(**{db_field.m2m_field_name(): number})
    return bool(number) and chosen[MOST_TYPED:].exists()
