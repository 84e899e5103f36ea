"""Whatever stands in the address of an admin page, the answer is a page."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from pytest_django import Settings

from ingest.admin.by_source import BY_SOURCE
from ingest.admin.long import Between
from ingest.models import Source

pytestmark = pytest.mark.django_db
HUGE = "99999999999999999999999"


def pages() -> Iterator[tuple[str, str]]:
    """Yield the address of each list of the admin, with each filter that takes a number."""
    for model, page in admin.site._registry.items():
        path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        for name in ("id__in", "id__exact", *named(model, page)):
            yield path, name


def named(model: type[Model], page: Any) -> Iterator[str]:
    if BY_SOURCE in page.list_filter:
        yield "source__id__exact"
    if any(field.name == "source" for field in model._meta.get_fields()):
        yield "source"
    between = [one[0] for one in page.list_filter if isinstance(one, tuple) and one[1] is Between]
    for moment in filter(None, (page.date_hierarchy, *between)):
        yield f"{moment}__year"


@pytest.mark.parametrize("number", [HUGE, "0", "99999"])
def test_a_filter_by_an_odd_number_is_a_page(number: str, admin_client: Client) -> None:
    for path, name in pages():
        answer = admin_client.get(path, {name: number}, follow=True)
        assert answer.status_code == 200, f"{path}?{name}={number}"


def test_it_leads_back_to_the_list_as_from_a_word(admin_client: Client) -> None:
    for value in ("word", HUGE):
        answer = admin_client.get("/admin/ingest/report/", {"source__id__exact": value})
        assert answer.headers.get("Location", "").endswith("?e=1"), value


@pytest.mark.parametrize("path", ["alerts/silence", "detection/label", "access/team"])
def test_a_form_that_is_filled_in_with_one_is_empty(path: str, admin_client: Client) -> None:
    fields = {"source": HUGE, "sources": HUGE, "people": HUGE}
    assert admin_client.get(f"/admin/{path}/add/", fields, follow=True).status_code == 200


@pytest.mark.parametrize("value", ["word", "2026-01-31 12:00"])
def test_a_form_cannot_be_broken_by_what_it_shall_begin_with(
    value: str, admin_client: Client
) -> None:
    for model in admin.site._registry:
        path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/add/"
        for field in model._meta.get_fields():
            answer = admin_client.get(path, {field.name: value}, follow=True)
            assert answer.status_code in (200, 403), f"{path}?{field.name}={value}"


def test_what_a_form_can_begin_with_stays(admin_client: Client) -> None:
    source = Source.objects.create(name="acquirer")
    asked = {"source": str(source.pk), "starts": "word", "reason": "Migration"}
    answer = admin_client.get("/admin/alerts/silence/add/", asked, follow=True)
    assert answer.context["adminform"].form.initial == {
        "source": str(source.pk),
        "reason": "Migration",
    }


@pytest.mark.parametrize("word", ["word", "1e400", "\0"])
@pytest.mark.parametrize(
    ("path", "field"),
    [("access/team", "sources"), ("alerts/silence", "source"), ("ingest/source", "parent")],
)
def test_a_form_that_chooses_by_a_word_is_refused(
    path: str, field: str, word: str, admin_client: Client
) -> None:
    page = admin_client.get(f"/admin/{path}/add/").context
    inline = {
        f"{one.formset.prefix}-{name}": "0"
        for one in page["inline_admin_formsets"]
        for name in ("TOTAL_FORMS", "INITIAL_FORMS")
    }
    assert admin_client.post(f"/admin/{path}/add/", {**inline, field: word}).status_code == 400


@pytest.mark.parametrize("what", ["", "change/", "delete/", "history/"])
def test_a_row_that_cannot_be_is_not_there(what: str, admin_client: Client) -> None:
    for model in admin.site._registry:
        path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/{HUGE}/{what}"
        assert admin_client.get(path, follow=True).status_code in (200, 403, 404), path


def test_what_breaks_without_a_filter_stays_a_fault(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OverflowError

    monkeypatch.setattr("ingest.admin.rows.ReportAdmin.get_queryset", broken)
    admin_client.raise_request_exception = False
    for asked in ({}, {"e": "1"}):
        assert admin_client.get("/admin/ingest/report/", asked).status_code == 500


@pytest.mark.parametrize(("day", "time"), [("0001-01-01", "00:00"), ("9999-12-31", "23:59")])
@pytest.mark.parametrize("zone", ["UTC", "America/Sao_Paulo", "Asia/Tokyo"])
def test_a_moment_that_not_every_zone_has_is_refused_beside_its_field(
    day: str, time: str, zone: str, admin_client: Client, settings: Settings
) -> None:
    settings.TIME_ZONE = zone
    written: dict[str, str] = {}
    for name in ("starts", "ends", "expires"):
        written |= {f"{name}_0": day, f"{name}_1": time}
    for path, names in {
        "ingest/apikey": ["expires"],
        "alerts/silence": ["starts", "ends"],
        "alerts/override": ["starts", "ends"],
        "detection/label": ["starts", "ends"],
        "detection/specialday": ["starts", "ends"],
    }.items():
        faults = admin_client.post(f"/admin/{path}/add/", written).context["adminform"].errors
        assert [faults[name] for name in names] == [["A day from 1970 to 2999."]] * len(names)
