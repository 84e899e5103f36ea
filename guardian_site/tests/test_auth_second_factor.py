"""Who set up a second factor is asked for it, by the page and by the API."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from guardian_site.tests.people import PASSWORD, make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def device() -> TOTPDevice:
    return TOTPDevice.objects.create(user=make_person("admin"), name="phone", confirmed=True)


def code_of(device: TOTPDevice) -> str:
    return f"{totp(device.bin_key):06}"


def login(**more: str) -> Any:
    body = {"username": "the-admin", "password": PASSWORD, **more}
    return Client().post("/auth/login", body, content_type="application/json")


def page(**more: str) -> Any:
    return Client().post("/login", {"username": "the-admin", "password": PASSWORD, **more})


def test_the_password_alone_is_not_enough(device: TOTPDevice) -> None:
    answer = login()
    assert answer.status_code == 401
    assert answer.json()["code_required"] is True
    assert page().status_code == 200


def test_with_the_code_they_are_in(device: TOTPDevice) -> None:
    assert login(code=code_of(device)).status_code == 200


def test_the_page_takes_the_code_too(device: TOTPDevice) -> None:
    assert b'name="code"' in Client().get("/login").content
    assert page(code=code_of(device)).status_code == 302


def test_who_gave_a_code_is_not_told_that_one_is_needed(device: TOTPDevice) -> None:
    assert b"Enter your two-factor code." in page().content
    code = code_of(device)
    assert page(code=code).status_code == 302
    assert login().json()["detail"] == "The code of the second factor is needed."
    assert login(code=code).json()["detail"].startswith("That code is wrong, was used before")
    told = page(code=code).content
    assert b"That code is wrong, was already used" in told
    assert b"Enter your" not in told


def test_a_code_works_once(device: TOTPDevice) -> None:
    code = code_of(device)
    assert login(code=code).status_code == 200
    assert login(code=code).status_code == 401


def test_a_code_may_be_written_as_phones_show_it(device: TOTPDevice) -> None:
    code = code_of(device)
    assert login(code=f" {code[:3]} {code[3:]}").status_code == 200


def test_the_device_in_the_safe_works_when_the_other_one_is_lost(device: TOTPDevice) -> None:
    other = TOTPDevice.objects.create(user=device.user, name="tablet", confirmed=True)
    for _ in range(3):
        TOTPDevice.objects.filter(pk=other.pk).update(last_t=-1)
        assert login(code=code_of(other)).status_code == 200
    assert login(code=code_of(device)).status_code == 200


def test_guessing_codes_is_slowed_down(device: TOTPDevice) -> None:
    wrong = f"{(int(code_of(device)) + 1) % 1_000_000:06}"
    for _ in range(3):
        login(code=wrong)
    assert login(code=code_of(device)).status_code == 401


def test_a_device_that_was_never_confirmed_asks_nothing(device: TOTPDevice) -> None:
    TOTPDevice.objects.update(confirmed=False)
    assert login().status_code == 200
    assert b'name="code"' not in Client().get("/login").content


def test_the_admin_has_no_door_of_its_own(device: TOTPDevice) -> None:
    answer = Client().get("/admin/login/?next=/admin/")
    assert answer["Location"] == "/login?next=/admin/"
    form = {"username": "the-admin", "password": PASSWORD}
    assert Client().post("/admin/login/", form).status_code == 405
    assert User.objects.get().last_login is None


@pytest.mark.parametrize(("role", "offered"), [("admin", True), ("operator", False)])
def test_administrators_alone_are_led_to_the_second_factors(role: str, offered: bool) -> None:
    client = Client()
    client.force_login(make_person(role))
    page = client.get("/admin/").content.decode()
    assert ('href="/admin/otp_totp/totpdevice/"' in page) is offered


@pytest.mark.parametrize("page", ["qrcode", "config"])
def test_a_device_that_was_deleted_has_no_code_to_scan(device: TOTPDevice, page: str) -> None:
    client = Client()
    client.force_login(device.user)
    address = f"/admin/otp_totp/totpdevice/{device.pk}/{page}/"
    assert client.get(address).status_code == 200
    device.delete()
    assert client.get(address).status_code == 404
