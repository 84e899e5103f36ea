"""The form of an account never says that it took a role which stays, nor takes the last one."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from guardian_site.access.roles import Role, role_of
from guardian_site.tests.people import make_person

pytestmark = pytest.mark.django_db


def changed(by: User, person: User, **fields: str) -> str:
    browser = Client()
    browser.force_login(by, "django.contrib.auth.backends.ModelBackend")
    form = {"username": person.username, "role": "admin", "is_active": "on", **fields}
    page = browser.post(f"/admin/auth/user/{person.pk}/change/", form, follow=True)
    assert page.status_code == 200
    return page.content.decode()


@pytest.mark.parametrize("fields", [{"role": "viewer"}, {"role": ""}, {"is_active": ""}])
def test_the_last_administrator_stays(fields: dict[str, str]) -> None:
    ana = make_person("admin")
    User.objects.create_user("bo", is_staff=True)
    assert "Nobody would be left to administer" in changed(ana, ana, **fields)
    assert role_of(User.objects.get(pk=ana.pk)) is Role.ADMIN


def test_with_another_one_they_may_go() -> None:
    ana, bo = make_person("admin"), make_person("admin", "bo")
    assert "was changed successfully" in changed(ana, bo, role="viewer")
    assert role_of(User.objects.get(pk=bo.pk)) is Role.VIEWER


def test_one_who_cannot_sign_in_is_not_another_one() -> None:
    ana, bo = make_person("admin"), make_person("admin", "bo")
    bo.set_unusable_password()
    bo.save()
    assert "Nobody would be left to administer" in changed(ana, ana, role="viewer")


def test_a_superuser_is_not_said_to_have_become_a_viewer() -> None:
    ana, bo = make_person("admin"), User.objects.create_superuser("bo")
    assert "A superuser stays admin" in changed(ana, bo, role="viewer")
    assert "was changed successfully" in changed(ana, bo, is_active="")
    assert role_of(User.objects.get(pk=bo.pk)) is None
