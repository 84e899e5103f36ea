"""Every field of the admin's forms is drawn in its theme: without one it has no border to click."""

import re
from datetime import UTC, datetime

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.utils import translation

pytestmark = pytest.mark.django_db
FIELD = re.compile(r"<(?:input|select|textarea)\b[^>]*>")
# What nobody sees, what the browser draws, and what a script puts its own field in place of.
DRAWN_OTHERWISE = re.compile(
    r'type="(?:hidden|submit|checkbox|radio|search)"'
    r'|class="(?:hidden|admin-autocomplete|selectfilter)"'
)


def plain_fields(page: str) -> list[str]:
    form = page[page.index('id="content-main"') :]
    fields = [one for one in FIELD.findall(form) if not DRAWN_OTHERWISE.search(one)]
    assert fields
    return [one for one in fields if "border" not in one]


def forms_to_fill_in() -> list[str]:
    request = RequestFactory().get("/admin/")
    request.user = User(is_superuser=True, is_active=True)
    return [
        f"/admin/{model._meta.app_label}/{model._meta.model_name}/add/"
        for model, page in admin.site._registry.items()
        if page.has_add_permission(request)
    ]


@pytest.mark.parametrize("path", forms_to_fill_in())
def test_every_field_of_a_new_row_can_be_seen(path: str, admin_client: Client) -> None:
    assert plain_fields(admin_client.get(path).content.decode()) == []


@pytest.mark.parametrize("page", ["change", "password"])
def test_every_field_of_a_person_can_be_seen(page: str, admin_client: Client) -> None:
    person = User.objects.create_user("bo")
    answer = admin_client.get(f"/admin/auth/user/{person.pk}/{page}/")
    assert plain_fields(answer.content.decode()) == []


@pytest.mark.parametrize("language", ["en", "pt-br"])
def test_a_moment_is_written_as_on_the_pages(language: str, admin_client: Client) -> None:
    user = User.objects.create_user("bo", date_joined=datetime(2026, 3, 2, 14, 5, tzinfo=UTC))
    with translation.override(language):
        page = admin_client.get(f"/admin/auth/user/{user.pk}/change/").content.decode()
    assert "2026-03-02 14:05" in page


def test_a_sign_in_is_ended_and_never_written_by_hand(admin_client: Client) -> None:
    assert admin_client.get("/admin/access/signin/add/").status_code == 403
