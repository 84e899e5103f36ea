"""What analysts say has its effect, is audited, and can be taken back."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError

from detection import messages
from detection.clock import minute_of
from detection.episodes import Alarm
from detection.models import Anomaly, Band, Baseline, Label, Policy, Proposal, Recheck
from detection.selectors.declarations import declarations
from detection.services import labels
from detection.services.assess import assess
from detection.services.backtesting import Trial, run_trial
from detection.services.closing import close_minute
from detection.services.forests import live_forest, promote_forest
from detection.services.labels import (
    apply_proposal,
    dismiss_proposal,
    label_deviation,
    revert_proposal,
    revoke_label,
    try_proposal,
)
from detection.services.sweep import sweep_closed_minutes
from detection.tests.conftest import Clock
from detection.tests.makers import (
    at,
    make_counts,
    make_forest,
    make_source,
    mark_late,
    recorded,
    report,
    set_count,
)
from ingest.models import MinuteCount, Source

pytestmark = pytest.mark.django_db
MIDNIGHT = minute_of(at(0))


def history(surge: range = range(300, 320), denied: int = 45, minutes: int = 400) -> Source:
    source = make_source()
    make_counts(source, range(minutes))
    for minute in surge:
        set_count(source, minute, "denied", "51", denied)
    sweep_closed_minutes(now=at(minutes + 0.5), seconds=60)
    assert Anomaly.objects.filter(family="decline").exists()
    return source


def label(source: Source, kind: str, first: int = 295, last: int = 330, family: str = "") -> Label:
    return label_deviation(
        source=source, kind=kind, starts=at(first), ends=at(last), now=at(401), family=family
    )


def standing() -> int:
    return Anomaly.objects.filter(minute__gte=at(295), withdrawn=None).count()


def test_what_was_expected_is_no_longer_an_anomaly() -> None:
    source = history()
    label(source, "expected")
    sweep_closed_minutes(now=at(401.5), seconds=60)
    assert standing() == 0
    assert set(Band.objects.values_list("level", flat=True)) == {"NORMAL"}
    assert not Recheck.objects.exists()


def test_only_the_family_that_was_named_is_expected() -> None:
    source = history()
    label(source, "expected", family="reversal")
    before = standing()
    sweep_closed_minutes(now=at(401.5), seconds=60)
    assert standing() == before


def test_wrong_counts_are_neither_judged_nor_learned() -> None:
    source = history()
    label(source, "data_problem", 300, 319)
    sweep_closed_minutes(now=at(401.5), seconds=60)
    assert standing() == 0
    assert Baseline.objects.get(source=source).through == at(400)


def test_nothing_is_said_of_wrong_counts_any_more(clock: Clock) -> None:
    source = history()
    clock.stand(401)
    assess([report(source, 400, "failed", 60)], complete=False)
    assert Anomaly.objects.filter(provisional=True).exists()
    label(source, "data_problem", 300, 400)
    assert standing() == 0
    assert not Band.objects.filter(minute__gte=at(300)).exists()
    clock.stand(401.5)
    sweep_closed_minutes(now=at(401.5), seconds=60)
    assert not Band.objects.filter(minute__range=(at(300), at(400))).exists()
    [again] = assess([report(source, 310, "denied", 45, "51")], complete=False)
    assert (again.judged, again.alert_level) == (False, "NORMAL")
    assert again.recommendation == messages.DECLARED_WRONG
    closed = close_minute(
        source=recorded(source, 310, "denied", 45).source, minute=MIDNIGHT + 310, now=at(401.5)
    )
    assert (closed["judged"], closed["recommendation"]) == (False, messages.DECLARED_WRONG)
    assert standing() == 0


MANY = {
    "name": "MANY",
    "metric": "denied",
    "op": ">",
    "value": 500,
    "minutes": 5,
    "level": "CRITICAL",
}


def test_rules_do_not_look_back_on_wrong_counts(clock: Clock) -> None:
    source = make_source()
    Policy.objects.create(source=source, rules=[MANY])
    make_counts(source, range(320))
    set_count(source, 300, "denied", "51", 900)
    sweep_closed_minutes(now=at(300.6), seconds=60)
    label_deviation(source=source, kind="data_problem", starts=at(300), ends=at(300), now=at(300.7))
    for minute in range(301, 308):
        clock.stand(minute + 0.6)
        [told] = assess([report(source, minute, "denied", 7, "51")], complete=False)
        assert told.alert_level == "NORMAL"
        sweep_closed_minutes(now=at(minute + 0.6), seconds=60)
    assert not Anomaly.objects.exists()
    found = run_trial(sources={source.pk: "default"}, since=at(250), until=at(306), now=at(308))
    assert found.alarms == []


def test_rules_do_not_take_wrong_counts_for_none(clock: Clock) -> None:
    source = make_source()
    few = {"name": "FEW", "metric": "total", "op": "<", "value": 400, "minutes": 5}
    Policy.objects.create(source=source, rules=[few])
    make_counts(source, range(320))
    label_deviation(source=source, kind="data_problem", starts=at(300), ends=at(309), now=at(310))
    clock.stand(320.6)
    sweep_closed_minutes(now=at(320.6), seconds=60)
    assert not Anomaly.objects.exists()


def test_what_a_worker_found_that_had_not_heard_of_the_label_is_withdrawn() -> None:
    source = history()
    known = [*Band.objects.filter(minute=at(310)), *Anomaly.objects.filter(minute=at(310))]
    label(source, "data_problem", 300, 319)
    for row in known:
        row.save(force_insert=True)
    sweep_closed_minutes(now=at(401.5), seconds=60)
    assert standing() == 0
    assert not Band.objects.filter(minute=at(310)).exists()


def test_late_counts_of_wrong_minutes_have_nothing_judged_again() -> None:
    source = history()
    label(source, "data_problem", 300, 319)
    sweep_closed_minutes(now=at(401.5), seconds=60)
    set_count(source, 310, "denied", "51", 46)
    mark_late(source, 310)
    assert sweep_closed_minutes(now=at(402.5), seconds=60).rechecked == 0
    assert not Recheck.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_repeat_is_not_told_what_was_said_before_the_label(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[list[int]] = []
    monkeypatch.setattr(labels, "forget_answers", told.append)
    source = make_source()
    label(source, "data_problem")
    assert told == [[source.pk]]


def test_a_label_that_is_taken_back_has_no_effect_left() -> None:
    source = history()
    told = Anomaly.objects.filter(minute__lt=at(400)).order_by("minute", "family")
    before = list(told.values_list("minute", "level"))
    said = label(source, "data_problem", 300, 319)
    sweep_closed_minutes(now=at(401.5), seconds=60)
    revoke_label(label=said, by=None, now=at(402))
    sweep_closed_minutes(now=at(402.5), seconds=60)
    assert list(told.values_list("minute", "level")) == before


def test_a_new_level_ends_the_alarm_and_is_the_normal_from_then_on() -> None:
    source = history(surge=range(300, 360), denied=20, minutes=360)
    make_counts(source, range(360, 500), seed=4)
    for minute in range(360, 500):
        set_count(source, minute, "denied", "51", 20)
    label(source, "new_level", 300, 350)
    sweep_closed_minutes(now=at(500.5), seconds=60)
    assert Anomaly.objects.filter(minute__lte=at(350), level="CRITICAL").exists()
    assert not Anomaly.objects.filter(minute__gt=at(365)).exists()


def test_noise_proposes_a_change_that_would_have_spared_the_page() -> None:
    source = history(surge=range(300, 304), denied=14)
    label(source, "noise")
    proposal = try_proposal(proposal=Proposal.objects.get(), now=at(401))
    assert proposal.state == "offered", proposal.reason
    assert proposal.report["after"]["pages"] <= proposal.report["before"]["pages"]


def test_noise_of_too_few_transactions_proposes_a_larger_excess_too() -> None:
    source = make_source()
    make_counts(source, range(400), rate=12)
    MinuteCount.objects.filter(minute__range=(at(300), at(305))).update(count=0)
    sweep_closed_minutes(now=at(400.5), seconds=60)
    label(source, "noise", family="volume_low")
    proposal = Proposal.objects.get()
    missing = [-(one.excess or 0.0) for one in Anomaly.objects.filter(family="volume_low")]
    assert 0 < max(missing) < 80
    assert proposal.changes["minimum_excess"] > max(missing)
    assert try_proposal(proposal=proposal, now=at(401)).state == "offered"


@pytest.mark.parametrize("year", [1, 9999])
def test_noise_without_begin_or_end_is_tried_on_the_history_there_is(year: int) -> None:
    source = history(surge=range(300, 304), denied=14)
    starts, ends = sorted([at(303), datetime(year, 1, 1, tzinfo=UTC)])
    label_deviation(source=source, kind="noise", starts=starts, ends=ends, now=at(401))
    proposal = try_proposal(proposal=Proposal.objects.get(), now=at(401))
    assert proposal.state == "offered", proposal.reason


def test_a_proposal_that_loses_a_confirmed_incident_is_refused() -> None:
    source = make_source()
    make_counts(source, range(700))
    for minute in (*range(300, 306), *range(600, 606)):
        set_count(source, minute, "denied", "51", 30)
    sweep_closed_minutes(now=at(700.5), seconds=60)
    label_deviation(source=source, kind="incident", starts=at(598), ends=at(608), now=at(701))
    noise = label(source, "noise", 295, 310)
    Proposal.objects.filter(label=noise).update(changes={"minimum_excess": 10_000.0})
    proposal = try_proposal(proposal=Proposal.objects.get(), now=at(701))
    assert proposal.state == "refused"
    assert "1 confirmed incident" in proposal.reason


def tried_with(
    monkeypatch: pytest.MonkeyPatch, before: list[Alarm], after: list[Alarm]
) -> Proposal:
    """A proposal whose backtest finds the one without and the other with its changes."""
    source = Source.objects.get()

    def run_trial(*, changes: object = None, **_: object) -> Trial:
        alarms = after if changes else before
        return Trial({source.pk: "default"}, MIDNIGHT, MIDNIGHT + 400, declarations(), None, alarms)

    monkeypatch.setattr(labels, "run_trial", run_trial)
    noise = Label.objects.create(source=source, kind="noise", starts=at(5), ends=at(9))
    proposal = Proposal.objects.create(label=noise, changes={"minimum_excess": 9.0})
    return try_proposal(proposal=proposal, now=at(401))


def alarms(level: int, *minutes: int) -> list[Alarm]:
    source = make_source()
    return [Alarm(source.pk, MIDNIGHT + one, "decline", level, 0.9) for one in minutes]


def test_a_confirmed_incident_that_was_a_lasting_warning_is_not_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lasting, noise = alarms(1, *range(100, 107)), alarms(2, 6, 7, 8)
    label(make_source(), "incident", 100, 106)
    proposal = tried_with(monkeypatch, [*lasting, *noise], [])
    assert proposal.state == "refused"
    assert proposal.reason == (
        "1 confirmed incident(s) would no longer be told, the first of 2026-03-02 01:40 UTC"
    )
    total = proposal.report["before"]
    assert (total["incidents_caught"], total["delay_median_minutes"]) == (1, 3)
    assert (total["pages"], total["warnings"], total["warnings_told"]) == (1, 1, 1)


def test_an_incident_that_is_gained_does_not_make_up_for_one_that_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, other, noise = alarms(2, 100), alarms(2, 200), alarms(2, 6, 40)
    label(make_source(), "incident", 100, 106)
    label(make_source(), "incident", 200, 206)
    assert tried_with(monkeypatch, one + noise, other).state == "refused"
    assert tried_with(monkeypatch, one + noise, one + other).state == "offered"


def test_a_proposal_is_tried_with_the_forest_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    make_source()
    promote_forest(number=make_forest().pk, now=at(0))
    used: list[object] = []

    def run_trial(*, forest: object = None, **_: object) -> Trial:
        used.append(forest)
        return Trial({}, MIDNIGHT, MIDNIGHT + 400, declarations(), None)

    monkeypatch.setattr(labels, "run_trial", run_trial)
    noise = label(make_source(), "noise")
    try_proposal(proposal=noise.proposals.get(), now=at(401))
    assert used == [live_forest(), live_forest()]
    assert live_forest() is not None


def test_an_applied_proposal_can_be_reverted() -> None:
    source = make_source()
    Policy.objects.create(source=source, minimum_excess=4.0)
    said = label(source, "incident")
    user = get_user_model().objects.create_user("ana")
    offered = Proposal.objects.create(label=said, changes={"minimum_excess": 9.0}, state="offered")
    applied = apply_proposal(proposal=offered, by=user, now=at(1))
    assert Policy.objects.get().minimum_excess == 9.0
    assert (applied.decided_by, applied.before) == (user, {"minimum_excess": 4.0})
    revert_proposal(proposal=applied, by=user, now=at(2))
    assert Policy.objects.get().minimum_excess == 4.0


def offered(value: float, field: str = "minimum_excess") -> Proposal:
    said = Label.objects.create(source=make_source(), kind="noise", starts=at(5), ends=at(9))
    return Proposal.objects.create(label=said, changes={field: value}, state="offered")


def test_what_was_applied_cannot_be_dismissed_any_more() -> None:
    Policy.objects.create(source=make_source(), minimum_excess=7)
    seen = offered(40.0)
    apply_proposal(proposal=Proposal.objects.get(), by=None, now=at(1))
    # the page it is dismissed from was opened before
    with pytest.raises(ValueError, match="Only what nobody has decided can be dismissed"):
        dismiss_proposal(proposal=seen, by=None, now=at(2))
    stands = Proposal.objects.get()
    assert (stands.state, stands.before) == ("applied", {"minimum_excess": 7.0})
    revert_proposal(proposal=seen, by=None, now=at(3))
    assert Policy.objects.get().minimum_excess == 7


def test_what_is_offered_can_be_dismissed() -> None:
    assert dismiss_proposal(proposal=offered(40.0), by=None, now=at(1)).state == "dismissed"


@pytest.mark.parametrize("later", [80.0, 40.0])
def test_proposals_are_reverted_in_the_opposite_order(later: float) -> None:
    one, other = offered(40.0), offered(later)
    apply_proposal(proposal=one, by=None, now=at(1))
    apply_proposal(proposal=other, by=None, now=at(2))
    with pytest.raises(ValueError, match=r"is 80.0 by now|applied after this one"):
        revert_proposal(proposal=one, by=None, now=at(3))
    assert Policy.objects.get().minimum_excess == later
    revert_proposal(proposal=other, by=None, now=at(4))
    revert_proposal(proposal=one, by=None, now=at(5))
    assert Policy.objects.get().minimum_excess is None


def test_what_somebody_changed_since_is_not_reverted() -> None:
    applied = apply_proposal(proposal=offered(40.0), by=None, now=at(1))
    Policy.objects.update(minimum_excess=12)
    with pytest.raises(ValueError, match=r"minimum_excess is 12.0 by now, not 40.0"):
        revert_proposal(proposal=applied, by=None, now=at(2))
    assert Policy.objects.get().minimum_excess == 12


def test_a_value_that_a_policy_does_not_take_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match=r"greater than or equal to 0\.001"):
        apply_proposal(proposal=offered(0.0005, "pages_per_week"), by=None, now=at(1))
    assert Proposal.objects.get().state == "offered"


def test_a_label_that_is_revoked_during_the_trial_has_no_proposal_left() -> None:
    said = label(history(surge=range(300, 304), denied=14), "noise")

    def revoke(_: int) -> None:
        revoke_label(label=said, by=None, now=at(402))

    revoked = try_proposal(proposal=said.proposals.get(), now=at(401), progress=revoke)
    assert (revoked.state, revoked.reason) == ("dismissed", "the label was revoked")


def test_a_refused_proposal_cannot_be_applied() -> None:
    said = label(make_source(), "incident")
    refused = Proposal.objects.create(label=said, changes={}, state="refused")
    with pytest.raises(ValueError, match="offered"):
        apply_proposal(proposal=refused, by=None, now=at(1))


def test_revoking_dismisses_what_was_proposed() -> None:
    said = label(make_source(), "noise")
    revoke_label(label=said, by=None, now=at(1))
    assert Proposal.objects.get().state == "dismissed"
    said.refresh_from_db()
    assert said.revoked == at(1)


def test_a_label_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValidationError):
        label(make_source(), "noise", 10, 5)
