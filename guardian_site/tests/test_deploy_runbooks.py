import re

import pytest
import yaml
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import translation

from alerts.conf import Rules
from detection.models import Family
from detection.scoring.outlook import LEARNING_MINUTES
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


def test_no_page_doubles_a_service_whose_port_only_one_can_have() -> None:
    compose = FOLDER.parent / "compose" / "compose.yaml"
    services = yaml.safe_load(compose.read_text())["services"]
    for page in FOLDER.glob("*.md"):
        for name in re.findall(r"--scale ([\w-]+)=", page.read_text()):
            assert "ports" not in services[name], page.name


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


def test_the_end_of_an_incident_is_told_as_it_comes() -> None:
    rules = Rules()
    assert (rules.quiet_minutes, rules.reopen_minutes, rules.quiet_at_most) == (5, 30, 60)
    told = (FOLDER / "decline.md").read_text()
    for words in ("five quiet minutes", "resolves by itself", "half an hour", "an hour at most"):
        assert words in told
    # Who closes an incident does it by hand and says what it was.
    assert not [name for name in NAMES if "closes by" in (FOLDER / f"{name}.md").read_text()]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "words"), [("en", "first two hours"), ("pt-br", "duas primeiras horas")]
)
@pytest.mark.parametrize("path", ["/help/", "/"])
def test_learning_lasts_as_long_as_the_pages_say(
    path: str, language: str, words: str, client: Client
) -> None:
    assert LEARNING_MINUTES == 120
    with translation.override(language):
        page = client.get(path).content.decode()
    assert words in page


def test_text_is_never_markup() -> None:
    assert html_of("A <script> & `<b>` **now**") == (
        "<p>A &lt;script&gt; &amp; <code>&lt;b&gt;</code> <strong>now</strong></p>"
    )
