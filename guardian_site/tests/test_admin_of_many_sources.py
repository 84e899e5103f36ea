"""No page of the admin lists all sources: there may be a hundred thousand."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alerts.models import EscalationPolicy, MaintenanceWindow, Notification, Silence
from detection.models import Anomaly, Band
from guardian_site.access.models import Team
from ingest.admin import by_source
from ingest.admin.by_source import BY_SOURCE
from ingest.models import MinuteCount, Report, Source, Transaction
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


@pytest.mark.parametrize(
    "model", [Anomaly, Band, MinuteCount, Notification, Report, Transaction], ids=str
)
@pytest.mark.django_db
def test_no_list_looks_at_every_row_of_a_long_table(admin_client: Client, model: Any) -> None:
    record(make_report(5))
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    with CaptureQueriesContext(connection) as asked:
        assert admin_client.get(url).status_code == 200
    of_rows = [
        one["sql"]
        for one in asked.captured_queries
        if f'FROM "{model._meta.db_table}"' in one["sql"]
    ]
    assert of_rows
    assert all("LIMIT" in sql for sql in of_rows)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"from_0": "2026-03-04"}, [7, 5]),
        ({"from_0": "2026-03-04", "from_1": "12:00:30"}, [7]),
        ({"to_0": "2026-03-04", "to_1": "12:00:30"}, [5]),
        ({"to_0": "2026-03-03"}, []),
        ({"to_0": "0001-01-01", "from_0": "soon"}, [7, 5]),
    ],
)
@pytest.mark.django_db
def test_rows_are_found_between_two_times(
    admin_client: Client, asked: dict[str, str], found: list[int]
) -> None:
    record(make_report(5), make_report(7, seconds=60))
    url = reverse("admin:ingest_minutecount_changelist")
    page = admin_client.get(url, {f"minute_{name}": value for name, value in asked.items()})
    assert [row.count for row in page.context["cl"].result_list] == found


def declare(model: type[Model], source: Source) -> None:
    now = timezone.now()
    if model is EscalationPolicy:
        EscalationPolicy.objects.create(name=source.name, source=source)
    elif model is Silence:
        Silence.objects.create(source=source, starts=now, ends=now + timedelta(hours=1))
    elif model is MaintenanceWindow:
        MaintenanceWindow.objects.create(
            name=source.name, source=source, first_day=now.date(), start_time="10:00", minutes=60
        )


@pytest.mark.parametrize("model", [EscalationPolicy, MaintenanceWindow, Silence, Source])
@pytest.mark.django_db
def test_a_list_reads_the_sources_of_its_rows_at_once(
    admin_client: Client, model: type[Model], django_assert_max_num_queries: Any
) -> None:
    parent = Source.objects.create(name="parent")
    for number in range(15):
        declare(model, Source.objects.create(name=f"shop-{number}", parent=parent))
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    with django_assert_max_num_queries(12):
        assert admin_client.get(url).content.decode().count("shop-") >= 15


@pytest.mark.django_db
def test_hundreds_of_sources_are_one_field_of_a_form(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(by_source, "MOST_TYPED", 2)
    sources = [Source.objects.create(name=f"shop-{number}") for number in range(3)]
    team = Team.objects.create(name="shops")
    team.sources.set(sources[:2])
    url = reverse("admin:access_team_change", args=(team.pk,))
    assert "shop-1" in admin_client.get(url).content.decode()
    team.sources.set(sources)
    text = admin_client.get(url).content.decode()
    assert ",".join(str(source.pk) for source in sources) in text
    assert "shop-1" not in text
    admin_client.post(url, {"name": "shops", "sources": f"{sources[0].pk},{sources[2].pk}"})
    assert list(team.sources.all()) == [sources[0], sources[2]]
