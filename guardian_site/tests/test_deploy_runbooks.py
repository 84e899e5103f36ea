import re

import pytest
import yaml
from django.conf import settings
from django.test import Client
from django.urls import reverse

from detection.models import Family
from guardian_site.runbooks import FOLDER, html_of

RULES = FOLDER.parent / "prometheus" / "rules" / "alerts.yml"
ALERTS = sorted(
    {
        rule["alert"]
        for group in yaml.safe_load(RULES.read_text())["groups"]
        for rule in group["rules"]
    }
)
NAMES = [*ALERTS, *Family.values]


@pytest.mark.parametrize("name", NAMES)
def test_each_alert_and_family_says_what_to_do(name: str) -> None:
    text = (FOLDER / f"{name}.md").read_text()
    for heading in ("## Look here", "## Do this", "## It is over when"):
        assert heading in text


def test_no_page_is_about_an_alert_that_does_not_exist() -> None:
    assert {path.stem for path in FOLDER.glob("*.md")} == {*NAMES, "README"}


@pytest.mark.parametrize("name", NAMES)
def test_a_page_refers_to_pages_that_exist(name: str) -> None:
    named = set(re.findall(r"\bGuardian[A-Z]\w+", (FOLDER / f"{name}.md").read_text()))
    assert named <= set(ALERTS)


@pytest.mark.django_db
def test_the_link_in_an_alert_opens_the_page(client: Client) -> None:
    answer = client.get(reverse("runbook", args=["GuardianDown"]))
    assert "<h1>GuardianDown</h1>" in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["NoSuchAlert", "README.md", "..", "settings"])
def test_nothing_else_is_opened(client: Client, name: str) -> None:
    assert client.get(f"/runbooks/{name}").status_code == 404


def test_messages_link_to_the_page_of_their_family() -> None:
    for family in Family.values:
        assert settings.GUARDIAN_RUNBOOKS[family].endswith(f"/runbooks/{family}")


def test_text_is_never_markup() -> None:
    assert html_of("A <script> & `<b>` **now**") == (
        "<p>A &lt;script&gt; &amp; <code>&lt;b&gt;</code> <strong>now</strong></p>"
    )
