"""No page of the admin lists all sources: there may be a hundred thousand."""

from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from ingest.admin.by_source import BY_SOURCE
from ingest.models import MinuteCount, Source
from ingest.tests.makers import make_report, record

ADMINS = [one for one in admin.site._registry.items() if one[0] is not Source]
OF_SOURCES = [
    (model, shown)
    for model, shown in ADMINS
    if any(field.related_model is Source for field in model._meta.get_fields() if field.concrete)
]


def fields_of(model: type[Model]) -> set[str]:
    return {
        field.name
        for field in model._meta.get_fields()
        if field.concrete and field.related_model is Source and getattr(field, "editable", False)
    }


@pytest.mark.parametrize(("model", "shown"), OF_SOURCES)
@pytest.mark.django_db
def test_a_source_is_typed_and_never_chosen_from_all(model: Any, shown: Any, rf: Any) -> None:
    assert "source" not in shown.list_filter
    if BY_SOURCE in shown.list_filter:
        assert shown.list_filter_submit
    request = rf.get("/")
    request.user = type("Everybody", (), {"has_perm": lambda *_: True, "is_superuser": True})()
    if shown.has_add_permission(request):
        assert fields_of(model) <= set(shown.autocomplete_fields)


def test_the_filter_finds_the_rows_of_one_source(admin_client: Client) -> None:
    record(make_report(5), make_report(7, name="kiosk"))
    kiosk = Source.objects.get(name="kiosk")
    url = reverse("admin:ingest_minutecount_changelist")
    page = admin_client.get(url, {"source__id__exact": kiosk.pk})
    assert [row.count for row in page.context["cl"].queryset] == [7]
    assert MinuteCount.objects.count() == 2
