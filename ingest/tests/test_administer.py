from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ingest.models import ApiKey, FileImport, MinuteCount, Report, Source, Transaction
from ingest.services import authenticate_key, issue_key
from ingest.services.proving import signing_secret
from ingest.tests.makers import make_report, record

pytestmark = [pytest.mark.django_db, pytest.mark.urls("ingest.tests.admin_doors")]


def told_secret(response: Any) -> str:
    told = [str(message) for message in get_messages(response.wsgi_request)]
    [secret] = [message.rsplit(" ", 1)[-1] for message in told if "Copy" in message]
    return secret


@pytest.mark.parametrize("model", [Source, ApiKey, Report, Transaction, MinuteCount, FileImport])
def test_every_list_opens_and_searches(admin_client: Client, model: Any) -> None:
    record(make_report(5), make_report(external_id="t1"))
    issue_key(name="k")
    url = reverse(f"admin:ingest_{model._meta.model_name}_changelist")
    assert admin_client.get(url).status_code == 200
    assert admin_client.get(url, {"q": "default"}).status_code == 200


@pytest.mark.parametrize("model", [Report, MinuteCount, Transaction])
def test_what_senders_wrote_is_read_only(admin_client: Client, model: Any) -> None:
    record(make_report(5), make_report(external_id="t1"))
    row = model.objects.first()
    name = model._meta.model_name
    assert (
        admin_client.get(reverse(f"admin:ingest_{name}_change", args=[row.pk])).status_code == 200
    )
    assert admin_client.get(reverse(f"admin:ingest_{name}_add")).status_code == 403
    assert (
        admin_client.post(reverse(f"admin:ingest_{name}_delete", args=[row.pk])).status_code == 403
    )


def test_a_source_that_reported_is_not_deleted_nor_its_rows_read(admin_client: Client) -> None:
    record(make_report(5))
    source = Source.objects.get()
    url = reverse("admin:ingest_source_delete", args=[source.pk])
    with CaptureQueriesContext(connection) as queries:
        assert "the reports of default" in admin_client.get(url).content.decode()
    assert not [one for one in queries.captured_queries if "ingest_report" in one["sql"]]
    admin_client.post(url, {"post": "yes"})
    assert Source.objects.exists()


def test_a_source_that_never_reported_is_deleted(admin_client: Client) -> None:
    source = Source.objects.create(name="mistyped")
    url = reverse("admin:ingest_source_delete", args=[source.pk])
    assert "Are you sure" in admin_client.get(url).content.decode()
    admin_client.post(url, {"post": "yes"})
    assert not Source.objects.exists()


def test_long_lists_are_never_counted(admin_client: Client) -> None:
    record(make_report(5))
    with CaptureQueriesContext(connection) as queries:
        admin_client.get(reverse("admin:ingest_report_changelist"))
    assert not [query for query in queries.captured_queries if "COUNT(" in query["sql"].upper()]


def test_a_key_is_issued_for_a_source_and_shown_once(admin_client: Client) -> None:
    source = Source.objects.create(name="shop-1")
    url = reverse("admin:ingest_source_issue_api_key", args=[source.pk])
    secret = told_secret(admin_client.get(url, headers={"Referer": "http://testserver/admin/"}))
    holder = authenticate_key(secret=secret)
    assert holder is not None
    assert holder.source_name == "shop-1"
    page = admin_client.get(reverse("admin:ingest_source_change", args=[source.pk]))
    assert holder.prefix in page.content.decode()


@pytest.mark.parametrize(
    "referer",
    [
        None,
        "http://evil.example/testserver/",
        "http://evil.example/admin/",
        "http://testserver/login?next=/admin/detection/forestversion/roll-back",
        "http://testserver/incidents/1/",
        "http://testserver/",
    ],
)
def test_no_other_page_presses_a_button(referer: str | None, admin_client: Client) -> None:
    source = Source.objects.create(name="shop-1")
    urls = [
        reverse("admin:ingest_source_issue_api_key", args=[source.pk]),
        reverse("admin:detection_forestversion_roll_back"),
    ]
    for url in urls:
        page = admin_client.get(url, headers={"Referer": referer} if referer else {}, follow=True)
        assert "Nothing was done" in page.content.decode()
    assert not ApiKey.objects.exists()


def test_a_key_added_by_hand_works(admin_client: Client) -> None:
    response = admin_client.post(
        reverse("admin:ingest_apikey_add"), {"name": "k", "scopes": "report", "rate_limit": "60/m"}
    )
    holder = authenticate_key(secret=told_secret(response))
    assert holder is not None
    assert holder.rate_limit == "60/m"


def shown(response: Any) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def signed_with(key: ApiKey) -> str:
    return signing_secret(prefix=key.prefix, secret_hash=key.secret_hash)


def test_of_a_key_that_takes_signed_requests_alone_the_signing_secret_is_shown(
    admin_client: Client,
) -> None:
    fields = {"name": "k", "scopes": "report", "signed_only": "on"}
    told = shown(admin_client.post(reverse("admin:ingest_apikey_add"), fields))
    key = ApiKey.objects.get()
    assert signed_with(key) in told
    assert "Copy the key" not in told
    sent = {"action": "rotate", "_selected_action": [key.pk]}
    told = shown(admin_client.post(reverse("admin:ingest_apikey_changelist"), sent))
    key.refresh_from_db()
    assert key.successor is not None
    assert signed_with(key.successor) in told


def test_a_revoked_key_opens_nothing(admin_client: Client) -> None:
    key, secret = issue_key(name="k")
    assert authenticate_key(secret=secret)
    sent = {"action": "revoke", "_selected_action": [key.pk]}
    admin_client.post(reverse("admin:ingest_apikey_changelist"), sent)
    assert authenticate_key(secret=secret) is None


def test_a_source_is_not_its_own_parent(admin_client: Client) -> None:
    source, other = (Source.objects.create(name=name) for name in ("shop-1", "chain"))
    url = reverse("admin:ingest_source_change", args=[source.pk])
    fields = {"name": "shop-1", "time_zone": "UTC", "enabled": "on"}
    inline = {"api_keys-TOTAL_FORMS": "0", "api_keys-INITIAL_FORMS": "0"}
    page = admin_client.post(url, {**fields, **inline, "parent": source.pk})
    assert "cannot be its own parent" in page.content.decode()
    assert admin_client.post(url, {**fields, **inline, "parent": other.pk}).status_code == 302
    source.refresh_from_db()
    assert source.parent == other


@pytest.mark.parametrize("zone", ["localtime", "posix/America/Sao_Paulo", "right/UTC"])
def test_a_zone_that_no_browser_knows_is_refused(admin_client: Client, zone: str) -> None:
    fields = {"name": "shop-1", "time_zone": zone, "enabled": "on"}
    inline = {"api_keys-TOTAL_FORMS": "0", "api_keys-INITIAL_FORMS": "0"}
    page = admin_client.post(reverse("admin:ingest_source_add"), {**fields, **inline})
    assert "is not an IANA time zone" in page.content.decode()
    assert not Source.objects.filter(name="shop-1").exists()


def test_a_source_that_would_have_no_page_is_refused(admin_client: Client) -> None:
    fields = {"name": "..", "time_zone": "UTC", "enabled": "on"}
    inline = {"api_keys-TOTAL_FORMS": "0", "api_keys-INITIAL_FORMS": "0"}
    page = admin_client.post(reverse("admin:ingest_source_add"), {**fields, **inline})
    assert "A name cannot consist of dots alone." in page.content.decode()
