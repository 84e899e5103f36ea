"""What a form in the admin refuses, it refuses in words of the trade and once."""

import html
from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import CheckConstraint, Model, UniqueConstraint
from django.test import Client, RequestFactory
from django.utils import translation

from detection.models import Policy
from ingest.models import Source

pytestmark = pytest.mark.django_db
OURS = ("ingest", "detection", "alerts", "access", "guardian_site")
FIRST = {"starts_0": "2026-03-02", "starts_1": "12:00", "ends_0": "2026-03-02", "ends_1": "11:00"}
STEP = {
    "name": "nights",
    "rank": "0",
    "minimum_level": "CRITICAL",
    "rounds": "1",
    "remind_after_minutes": "60",
    "steps-TOTAL_FORMS": "1",
    "steps-INITIAL_FORMS": "0",
    "steps-0-position": "1",
    "steps-0-after_minutes": "5",
}


def filled_in_by_hand() -> Iterator[type[Model]]:
    """Yield what the admin has a form for, inlines included."""
    request = RequestFactory().get("/admin/")
    request.user = User.objects.create_superuser("ana")
    for model, page in admin.site._registry.items():
        if page.has_add_permission(request):
            yield model
            yield from (one.model for one in page.get_inline_instances(request))


def told(client: Client, path: str, body: dict[str, object]) -> str:
    return html.unescape(client.post(f"/admin/{path}/add/", body).content.decode())


def test_every_constraint_that_a_form_meets_has_words_of_its_own() -> None:
    found = {
        constraint.name: constraint.violation_error_message
        for model in filled_in_by_hand()
        if model._meta.app_label in OURS
        for constraint in model._meta.constraints
        if isinstance(constraint, CheckConstraint | UniqueConstraint)
    }
    assert found.keys() >= {"detection_label_order", "alerts_step_target", "alerts_step_place"}
    assert not [name for name, words in found.items() if "onstraint" in str(words)]


def test_a_label_that_ends_before_it_starts(admin_client: Client) -> None:
    source = Source.objects.create(name="shop")
    page = told(admin_client, "detection/label", {"source": source.pk, "kind": "noise", **FIRST})
    assert "It must not end before it starts." in page


@pytest.mark.parametrize(
    ("of_a_source", "words"),
    [(True, "This source has a policy already"), (False, "There is a default policy already")],
)
def test_a_second_policy(of_a_source: bool, words: str, admin_client: Client) -> None:
    source = Source.objects.create(name="shop") if of_a_source else None
    Policy.objects.get_or_create(source=source)
    page = told(admin_client, "detection/policy", {"source": source.pk if source else ""})
    assert page.count(f"{words}; change that one.") == 1
    assert "already exists" not in page
    assert "onstraint" not in page


@pytest.mark.parametrize(
    ("ends", "reason", "words"),
    [
        ("2026-03-03", "", "A silence for everything needs a reason."),
        ("2026-06-02", "move", "At most 90 days."),
        ("2026-03-03", "move", "A silence must end in the future."),
    ],
)
def test_a_silence_that_hushes_too_much(
    ends: str, reason: str, words: str, admin_client: Client
) -> None:
    asked: dict[str, object] = {**FIRST, "ends_0": ends, "reason": reason}
    assert told(admin_client, "alerts/silence", asked).count(words) == 1


def test_an_escalation_step_that_calls_nobody(admin_client: Client) -> None:
    page = told(admin_client, "alerts/escalationpolicy", dict(STEP))
    assert page.count("Name a channel or a schedule, not both.") == 1
    assert "onstraint" not in page


def test_what_a_form_refuses_is_told_in_portuguese(admin_client: Client) -> None:
    source = Source.objects.create(name="shop")
    label = {"source": source.pk, "kind": "noise", **FIRST}
    with translation.override("pt-br"):
        assert "O fim não pode vir antes do início." in told(admin_client, "detection/label", label)
        page = told(admin_client, "alerts/escalationpolicy", dict(STEP))
    assert "Escolha um canal ou uma escala, não os dois." in page


@pytest.mark.parametrize(
    "value", ["[" * 900 + "]" * 900, "[" * 200_000 + "]" * 200_000, "9" * 5000, r'"\ud800"', "NaN"]
)
@pytest.mark.parametrize(
    ("path", "field", "words"),
    [
        ("detection/policy", "rules", "Enter a valid JSON."),
        ("alerts/channel", "configuration", "Write a JSON object: {…}."),
    ],
)
def test_json_that_cannot_be_kept_is_refused_in_words(
    path: str, field: str, words: str, value: str, admin_client: Client
) -> None:
    assert words in told(admin_client, path, {field: f'{{"note": {value}}}'})
