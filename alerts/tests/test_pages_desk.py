import pytest

from alerts.tests.makers import open_incident
from alerts.tests.pages import signed_in

pytestmark = pytest.mark.django_db


def test_the_first_page_of_the_admin_says_what_goes_on() -> None:
    incident = open_incident()
    text = signed_in("viewer").get("/admin/").content.decode()
    assert "Going on now" in text
    assert f'href="/incidents/{incident.pk}/"' in text
    assert "42 denials in 1 min, 6 expected." in text


def test_a_calm_admin_says_that_nothing_does() -> None:
    assert "No open incident." in signed_in("viewer").get("/admin/").content.decode()
