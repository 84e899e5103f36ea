"""What cannot be read, of another release or damaged, is told in the log and stops nobody."""

import pytest
from django.core.management import CommandError, call_command

from detection.models import Baseline, Checkpoint, ForestVersion, Recheck
from detection.services.forests import forget_forest, live_forest, promote_forest, roll_back_forest
from detection.services.sweep import sweep_closed_minutes
from detection.services.training import due_reason
from detection.services.watch import watch
from detection.tests.makers import (
    at,
    make_counts,
    make_forest,
    make_source,
    mark_late,
    packed_forest,
    set_count,
)

pytestmark = pytest.mark.django_db
OTHER_RELEASE = b"TGF0" + b"x" * 50
HALF = packed_forest()[: len(packed_forest()) // 2]


@pytest.mark.parametrize("blob", [OTHER_RELEASE, HALF])
def test_a_live_forest_is_left_out_and_told_once(
    blob: bytes, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detection.services.forests.TRUSTED_SECONDS", 0)
    version = make_forest(model=blob, state="live", promoted=at(0))
    make_counts(make_source(), range(60))
    assert sweep_closed_minutes(now=at(60.5)).minutes == 60
    assert live_forest() is None
    assert caplog.text.count(f"Forest {version.pk} cannot be read") == 1
    assert due_reason(now=at(61)) == "the live one cannot be read"


@pytest.mark.parametrize("blob", [OTHER_RELEASE, HALF])
def test_a_forest_is_not_promoted(blob: bytes) -> None:
    serving, unread = make_forest(), make_forest(model=blob)
    promote_forest(number=serving.pk, now=at(1))
    with pytest.raises(ValueError, match=f"Forest {unread.pk} cannot be read"):
        promote_forest(number=unread.pk, now=at(2))
    assert ForestVersion.objects.get(state="live") == serving


def test_the_commands_refuse_it_in_words() -> None:
    make_source()
    unread = make_forest(model=OTHER_RELEASE)
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("forest", "promote", str(unread.pk))
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("backtest", forest=str(unread.pk))


def test_a_rollback_passes_over_it() -> None:
    first, second, third = (make_forest() for _ in range(3))
    for number, version in enumerate((first, second, third)):
        promote_forest(number=version.pk, now=at(number))
    ForestVersion.objects.filter(pk=second.pk).update(model=HALF)
    forget_forest()
    assert roll_back_forest(now=at(9)) == first


def test_a_baseline_starts_again_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    damaged, other = make_source("damaged"), make_source("other")
    for source in (damaged, other):
        make_counts(source, range(90))
    sweep_closed_minutes(now=at(60.5))
    [row] = Baseline.objects.filter(source=damaged)
    Baseline.objects.filter(pk=row.pk).update(state=bytes(row.state)[:200], version=9)
    watch.forget()
    sweep_closed_minutes(now=at(90.5))
    assert set(Baseline.objects.values_list("through", flat=True)) == {at(89)}
    assert f"The baseline of source {damaged.pk} starts again" in caplog.text


def test_late_counts_do_not_wait_for_a_checkpoint(caplog: pytest.LogCaptureFixture) -> None:
    sources = [make_source("a"), make_source("b")]
    for source in sources:
        make_counts(source, range(240))
    sweep_closed_minutes(now=at(240.5))
    newest = Checkpoint.objects.get(source=sources[0], through=at(179))
    Checkpoint.objects.filter(pk=newest.pk).update(state=b"TGS\x01" + b"x" * 50)
    for source in sources:
        set_count(source, 190, "denied", "51", 70)
        mark_late(source, 190)
    assert sweep_closed_minutes(now=at(241.5)).rechecked == 2
    assert not Recheck.objects.exists()
    assert f"The checkpoint {newest} is passed over" in caplog.text
