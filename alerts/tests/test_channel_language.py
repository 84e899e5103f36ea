"""A channel speaks its own language; where none is chosen, that of the site."""

import pytest
from pytest_django import Settings

from alerts.models import Notification
from alerts.services.sending import outgoing
from alerts.tests.makers import at, make_channel, open_incident


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("site", "chosen", "spoken"),
    [("pt-br", "", "pt-br"), ("pt-br", "en", "en"), ("en", "", "en"), ("en", "pt-br", "pt-br")],
)
def test_messages_are_in_the_language_of_the_channel_or_the_site(
    settings: Settings, site: str, chosen: str, spoken: str
) -> None:
    settings.GUARDIAN_LANGUAGE = site
    make_channel("phone", language=chosen)
    open_incident()
    brief = outgoing(row=Notification.objects.get(channel__name="phone"), now=at(1)).brief
    assert brief is not None
    assert brief.language == spoken
    assert brief.first_action.startswith("Saldo insuficiente") is (spoken == "pt-br")
