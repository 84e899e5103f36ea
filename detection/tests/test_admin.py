"""Operators find and change what they may in the admin."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from detection.models import (
    Anomaly,
    Backtest,
    Band,
    Baseline,
    ForestVersion,
    Label,
    Policy,
    Proposal,
)
from detection.scoring.state import State
from detection.tests.makers import at, make_forest, make_source

pytestmark = pytest.mark.django_db
PAGES = (
    "anomaly",
    "band",
    "baseline",
    "forestversion",
    "policy",
    "specialday",
    "label",
    "proposal",
    "backtest",
)


def fill() -> None:
    source = make_source()
    Anomaly.objects.create(
        source=source, minute=at(1), family="decline", level="CRITICAL", score=0.9, expected=1.0
    )
    Band.objects.create(source=source, minute=at(1))
    Baseline.objects.create(source=source, state=State.new(1).pack()[0], through=at(1))
    ForestVersion.objects.create(model=b"", metrics={"loud_rate": 0.001})
    Policy.objects.create(source=source)
    label = Label.objects.create(source=source, kind="noise", starts=at(1), ends=at(2))
    Proposal.objects.create(label=label, changes={"minimum_excess": 9.0}, state="offered")
    Backtest.objects.create(since=at(0), until=at(9), report={"total": {"pages_per_day": 1}})


@pytest.mark.parametrize("page", PAGES)
def test_every_list_opens_and_can_be_searched(admin_client: Client, page: str) -> None:
    fill()
    answer = admin_client.get(f"/admin/detection/{page}/", {"q": "default"})
    assert answer.status_code == 200
    assert admin_client.get(f"/admin/detection/{page}/").status_code == 200


@pytest.mark.parametrize("model", [Anomaly, Band, Baseline, ForestVersion, Policy, Backtest])
def test_every_row_opens(admin_client: Client, model: type[Anomaly]) -> None:
    fill()
    row = model.objects.get()
    answer = admin_client.get(f"/admin/detection/{model._meta.model_name}/{row.pk}/change/")
    assert answer.status_code == 200


def test_a_promoted_version_serves(admin_client: Client) -> None:
    version = make_forest()
    admin_client.post(
        "/admin/detection/forestversion/",
        {"action": "promote", "_selected_action": [version.pk]},
    )
    version.refresh_from_db()
    assert version.state == "live"


def test_a_version_that_cannot_be_read_is_refused_in_words(admin_client: Client) -> None:
    version = make_forest(model=b"TGF0")
    answer = admin_client.post(
        "/admin/detection/forestversion/",
        {"action": "promote", "_selected_action": [version.pk]},
        follow=True,
    )
    assert f"Forest {version.pk} cannot be read" in answer.content.decode()
    version.refresh_from_db()
    assert version.state == "shadow"


def test_baselines_are_listed_with_one_that_cannot_be_read(admin_client: Client) -> None:
    Baseline.objects.create(source=make_source(), state=b"TGS", through=at(1))
    answer = admin_client.get("/admin/detection/baseline/")
    assert "cannot be read" in answer.content.decode()


def test_a_wrong_rule_is_refused_in_the_form(admin_client: Client) -> None:
    answer = admin_client.post(
        "/admin/detection/policy/add/", {"rules": '[{"name": "X", "metric": "speed"}]'}
    )
    assert "metric must be one of" in answer.content.decode()
    assert not Policy.objects.exists()


def test_a_label_is_said_with_its_author(admin_client: Client) -> None:
    source = make_source()
    now = timezone.now().replace(microsecond=0)
    answer = admin_client.post(
        "/admin/detection/label/add/",
        {
            "source": source.pk,
            "kind": "incident",
            "family": "decline",
            "starts_0": f"{now - timedelta(hours=1):%Y-%m-%d}",
            "starts_1": f"{now - timedelta(hours=1):%H:%M:%S}",
            "ends_0": f"{now:%Y-%m-%d}",
            "ends_1": f"{now:%H:%M:%S}",
            "note": "acquirer down",
        },
    )
    assert answer.status_code == 302, answer.content[:2000]
    author = Label.objects.get().author
    assert author is not None
    assert author.get_username() == "admin"


def test_a_proposal_is_applied_and_reverted(admin_client: Client) -> None:
    fill()
    proposal = Proposal.objects.get()
    for action, value in (("apply", 9.0), ("revert", None)):
        admin_client.post(
            "/admin/detection/proposal/", {"action": action, "_selected_action": [proposal.pk]}
        )
        assert Policy.objects.get().minimum_excess == value


def test_who_may_only_look_cannot_promote(client: Client) -> None:
    viewer = get_user_model().objects.create_user("eye", password="x", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_forestversion"))
    version = make_forest()
    client.force_login(viewer)
    client.post(
        "/admin/detection/forestversion/",
        {"action": "promote", "_selected_action": [version.pk]},
    )
    version.refresh_from_db()
    assert version.state == "shadow"
