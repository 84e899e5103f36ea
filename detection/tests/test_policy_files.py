"""A policy file is applied as a whole, or refused with every fault named."""

import re
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
import yaml
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from detection.models import Family, Policy, SpecialDay
from detection.models.policy import OF_OLD, POLICY_FIELDS
from detection.services.policies import USUAL_NAME, PolicyFileError, apply_policies, read_settings
from detection.tests.makers import make_source

pytestmark = pytest.mark.django_db
FILE = """
default:
  pages_per_week: 2
sources:
  shop:
    minimum_excess: 30
    families_off: [volume_high]
    rules:
      - {name: LOW_APPROVAL, metric: approval_rate, op: "<", value: 0.8, minutes: 5}
special_days:
  - {name: Black Friday, source: shop, starts: 2026-11-27, ends: 2026-11-28T00:00, factor: 2.5}
"""


MANUAL = Path(__file__).resolve().parents[2] / "deploy" / "docs" / "tuning.md"


def test_the_files_of_the_manual_are_taken() -> None:
    tried, applied = re.findall(r"```yaml\n(.*?)```", MANUAL.read_text(), re.DOTALL)
    assert read_settings(yaml.safe_load(tried)) == {"pages_per_week": 0.5, "minimum_excess": 50.0}
    for name in ("acquirer-a", "ecommerce"):
        make_source(name)
    assert len(apply_policies(text=applied)) == 5
    named = {name for one in yaml.safe_load(applied)["sources"].values() for name in one}
    assert named == set(POLICY_FIELDS)


def test_the_manual_names_what_can_be_chosen() -> None:
    text = MANUAL.read_text()
    families = {f"`{one}`" for one in Family.values}
    kinds = {f"`{one}`" for one in SpecialDay.Kind.values}
    assert not [one for one in families | kinds if one not in text]


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("policies: {}", "default, sources, special_days"),
        ("default: {alpha: 3}", "pages_per_week"),
        ("special_days: [{day: 1}]", "factor"),
    ],
)
def test_whoever_writes_a_name_that_is_none_is_told_those_there_are(text: str, known: str) -> None:
    with pytest.raises(PolicyFileError, match=known):
        apply_policies(text=text)


def test_it_writes_policies_and_special_days() -> None:
    source = make_source("shop", time_zone="America/Sao_Paulo")
    changed = apply_policies(text=FILE)
    assert changed == ["default", "sources.shop", "special_days[1] Black Friday"]
    assert Policy.objects.get(source=None).pages_per_week == 2
    assert Policy.objects.get(source=source).families_off == ["volume_high"]
    assert SpecialDay.objects.get().starts.isoformat() == "2026-11-27T03:00:00+00:00"


def test_applying_it_again_changes_nothing() -> None:
    make_source("shop")
    apply_policies(text=FILE)
    assert apply_policies(text=FILE) == []
    assert (Policy.objects.count(), SpecialDay.objects.count()) == (2, 1)


@pytest.mark.parametrize("starts", ["2026-09-06", "2026-04-04T23:30"])
def test_nor_does_a_day_that_begins_while_the_clock_changes(starts: str) -> None:
    make_source("shop", time_zone="America/Santiago")
    day = f"{{name: sale, source: shop, starts: {starts}, ends: 2026-09-07, factor: 2}}"
    assert apply_policies(text=f"special_days: [{day}]") == ["special_days[1] sale"]
    assert apply_policies(text=f"special_days: [{day}]") == []


DAY = "{{name: sale, source: shop, starts: 2026-03-{}T08:00Z, ends: 2026-03-{}T20:00Z, factor: 2}}"


def days(*spans: tuple[int, int]) -> str:
    return "special_days:\n" + "".join(f"  - {DAY.format(*span)}\n" for span in spans)


def stored_days() -> list[tuple[int, int]]:
    found = SpecialDay.objects.order_by("starts").values_list("starts__day", "ends__day")
    return [tuple(one) for one in found]


def test_a_day_whose_start_is_corrected_is_the_same_day() -> None:
    make_source("shop")
    apply_policies(text=days((10, 12)))
    first = SpecialDay.objects.get()
    assert apply_policies(text=days((11, 12))) == ["special_days[1] sale"]
    again = SpecialDay.objects.get()
    assert (again.pk, again.created, again.starts.day) == (first.pk, first.created, 11)


def test_days_that_move_past_each_other_stay_as_many() -> None:
    make_source("shop")
    apply_policies(text=days((10, 12), (14, 16)))
    apply_policies(text=days((11, 15), (16, 18)))
    assert stored_days() == [(11, 15), (16, 18)]


def declare_sale(first: int, last: int, **values: object) -> SpecialDay:
    facts = {
        "source": make_source("shop"),
        "name": "sale",
        "starts": datetime(2026, 3, first, 8, tzinfo=UTC),
        "ends": datetime(2026, 3, last, 20, tzinfo=UTC),
        "factor": 2.0,
    }
    return SpecialDay.objects.create(**{**facts, **values})


@pytest.mark.parametrize("brought_by", [OF_OLD, USUAL_NAME])
def test_a_day_that_was_stored_twice_is_left_once(brought_by: str) -> None:
    for first in (10, 11):
        declare_sale(first, 12, brought_by=brought_by)
    changed = apply_policies(text=days((11, 12)))
    assert changed == ["sale (x 2) of 2026-03-10 08:00 UTC, taken away"]
    assert stored_days() == [(11, 12)]


def test_a_day_that_is_moved_to_another_date_leaves_nothing_behind() -> None:
    make_source("shop")
    apply_policies(text=days((10, 12), (14, 16)))
    changed = apply_policies(text=days((20, 22), (14, 16)))
    assert changed == ["special_days[1] sale", "sale (x 2) of 2026-03-10 08:00 UTC, taken away"]
    assert stored_days() == [(14, 16), (20, 22)]


@pytest.mark.parametrize("text", ["special_days: []", "default: {}"])
def test_a_day_that_the_file_does_not_name_any_more_is_taken_away(text: str) -> None:
    make_source("shop")
    apply_policies(text=days((10, 12)))
    apply_policies(text=text, check=True)
    assert stored_days() == [(10, 12)]
    apply_policies(text=text)
    assert stored_days() == []


def test_what_people_declared_is_never_taken_away() -> None:
    declare_sale(10, 12)
    declare_sale(11, 12)
    apply_policies(text=days((10, 12)))
    apply_policies(text=days((20, 22)))
    assert stored_days() == [(10, 12), (11, 12), (20, 22)]


def test_a_day_that_people_changed_is_theirs(admin_client: Client) -> None:
    make_source("shop")
    apply_policies(text=days((10, 12)))
    change_in_admin(admin_client, SpecialDay.objects.get(), ends=28)
    apply_policies(text="special_days: []")
    assert SpecialDay.objects.get().ends.day == 28


def test_a_day_that_people_only_looked_at_is_that_of_the_file(admin_client: Client) -> None:
    make_source("shop")
    apply_policies(text=days((10, 12)))
    change_in_admin(admin_client, SpecialDay.objects.get(), ends=12)
    apply_policies(text="special_days: []")
    assert not SpecialDay.objects.exists()


def test_a_day_of_old_is_left_unless_the_file_names_it() -> None:
    declare_sale(10, 12, brought_by=OF_OLD)
    declare_sale(14, 16, brought_by=OF_OLD)
    apply_policies(text=days((10, 12)))
    apply_policies(text=days((20, 22)))
    assert stored_days() == [(14, 16), (20, 22)]


def test_the_days_of_another_file_are_left_alone() -> None:
    make_source("shop")
    apply_policies(text=days((10, 12)), name="promotions.yaml")
    apply_policies(text=days((20, 22)))
    assert stored_days() == [(10, 12), (20, 22)]


def test_the_days_of_another_source_are_not_taken_for_the_same() -> None:
    make_source("shop")
    apply_policies(text=days((10, 12)), name="shop.yaml")
    apply_policies(text=days((11, 12)).replace("source: shop, ", ""))
    assert stored_days() == [(10, 12), (11, 12)]


def change_in_admin(client: Client, day: SpecialDay, *, ends: int) -> None:
    last = day.ends.replace(day=ends)
    answer = client.post(
        f"/admin/detection/specialday/{day.pk}/change/",
        {
            "source": day.source_id,
            "kind": day.kind,
            "name": day.name,
            "starts_0": f"{timezone.localtime(day.starts):%Y-%m-%d}",
            "starts_1": f"{timezone.localtime(day.starts):%H:%M:%S}",
            "ends_0": f"{timezone.localtime(last):%Y-%m-%d}",
            "ends_1": f"{timezone.localtime(last):%H:%M:%S}",
            "factor": day.factor,
        },
    )
    assert answer.status_code == 302, answer.content


def test_a_day_that_is_said_twice_is_refused() -> None:
    make_source("shop")
    with pytest.raises(PolicyFileError, match=r"special_days\[2\]: sale is said for the same time"):
        apply_policies(text=days((10, 12), (11, 13)))
    assert not SpecialDay.objects.exists()


def test_what_a_file_leaves_out_has_its_default_again() -> None:
    source = make_source("shop")
    apply_policies(text=FILE)
    apply_policies(text="sources: {shop: {minimum_excess: 7}}")
    policy = Policy.objects.get(source=source)
    assert (policy.minimum_excess, policy.rules, policy.families_off) == (7, None, None)


def test_a_check_writes_nothing() -> None:
    make_source("shop")
    assert len(apply_policies(text=FILE, check=True)) == 3
    assert not Policy.objects.exists()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- a", "mapping"),
        ("a: [", "not YAML"),
        ("sources: {shop: {minimum_excess: 5}, shop: {}}", "shop stands here twice"),
        ("default: {}\nsources: {}\ndefault: {}", "default stands here twice"),
        ("surces: {}", "surces: not known"),
        ("sources: [shop]", "sources: must be a mapping"),
        ("sources: {nobody: {}}", "sources.nobody: no source"),
        ("sources: {shop: 5}", "sources.shop: must be a mapping"),
        ("sources: {shop: {budget: 1}}", "sources.shop.budget: not a setting"),
        ("sources: {shop: {pages_per_week: -1}}", "sources.shop.pages_per_week"),
        ("sources: {shop: {pages_per_week: often}}", "sources.shop.pages_per_week"),
        ("sources: {shop: {rules: [{name: x}]}}", "metric must be one of"),
        ("sources: {shop: {families_off: decline}}", "Must be a list of families"),
        ("sources: {shop: {minimum_excess: .inf}}", "minimum_excess: Must be a finite number"),
        ("sources: {shop: {pages_per_week: .nan}}", "pages_per_week: Must be a finite number"),
        ("sources: {shop: {minimum_excess: true}}", "minimum_excess: A number is expected"),
        (
            "special_days: [{name: x, starts: 2026-01-01, ends: 9999-12-31T20:00-05, factor: 2}]",
            r"special_days\[1\].ends: a time such as",
        ),
        (f"sources: {{shop: {{minimum_excess: 1{'0' * 400}}}}}", "minimum_excess: .* too large"),
        ("sources: {shop: {families_off: [{x: 1}]}}", "families_off: Must be a list of families"),
        ("sources: {shop: {weight_ml: 0, weight_z: 0}}", "weight_z: One of the two weights"),
        ("special_days: [{name: x, starts: 2026-13-02}]", "not YAML"),
        (
            "special_days: [{name: x, starts: 2026-01-02, ends: 2026-01-03, factor: .nan}]",
            r"special_days\[1\].factor: Must be a finite number",
        ),
        ("special_days: {}", "special_days: must be a list"),
        ("special_days: [{name: x}]", r"special_days\[1\].starts"),
        (
            "special_days: [{name: x, starts: 2026-01-02, ends: 2026-01-01, factor: 2}]",
            "must end after",
        ),
        ("special_days: [{name: x, starts: 2026-01-02, ends: 2026-01-03}]", "factor"),
    ],
)
def test_a_fault_is_told_where_it_is_and_nothing_is_written(text: str, told: str) -> None:
    make_source("shop")
    with pytest.raises(PolicyFileError, match=told):
        apply_policies(text="default: {pages_per_week: 1}\n" + text if text[0] != "-" else text)
    assert not Policy.objects.exists()


def test_the_command_says_what_changed(tmp_path: Path) -> None:
    make_source("shop")
    file = tmp_path / "policies.yaml"
    file.write_text(FILE)
    told = StringIO()
    call_command("apply_policies", file, stdout=told)
    assert "changed: sources.shop" in told.getvalue()


def test_the_command_knows_a_file_by_its_name(tmp_path: Path) -> None:
    make_source("shop")
    for folder, month in (("a", "11"), ("b", "12")):
        (tmp_path / folder).mkdir()
        file = tmp_path / folder / "shop.yaml"
        file.write_text(FILE.replace("2026-11", f"2026-{month}"))
        call_command("apply_policies", file)
    assert SpecialDay.objects.get().starts.month == 12
    call_command("apply_policies", file, name="another")
    assert SpecialDay.objects.get().brought_by == "another"


def test_the_command_names_the_faults(tmp_path: Path) -> None:
    file = tmp_path / "policies.yaml"
    file.write_text("sources: {nobody: {}}")
    told = StringIO()
    with pytest.raises(CommandError, match="nothing was applied"):
        call_command("apply_policies", file, stderr=told)
    assert "sources.nobody" in told.getvalue()
