"""Of several proposals for one source, none makes it louder than another has made it."""

import pytest

from detection.models import Label, Policy, Proposal
from detection.services.labels import apply_proposal
from detection.tests.makers import at, make_source

pytestmark = pytest.mark.django_db


def offered(value: float, field: str) -> Proposal:
    said = Label.objects.create(source=make_source(), kind="noise", starts=at(5), ends=at(9))
    return Proposal.objects.create(label=said, changes={field: value}, state="offered")


@pytest.mark.parametrize(
    ("field", "quieter", "louder"),
    [("minimum_excess", 110.0, 66.0), ("pages_per_week", 0.1, 0.25)],
)
@pytest.mark.parametrize("of_all", [False, True])
def test_a_proposal_does_not_undo_a_quieter_one(
    field: str, quieter: float, louder: float, of_all: bool
) -> None:
    if of_all:
        Policy.objects.create(**{field: quieter})
    else:
        apply_proposal(proposal=offered(quieter, field), by=None, now=at(1))
    with pytest.raises(ValueError, match=f"{field} is {quieter} by now, which is quieter"):
        apply_proposal(proposal=offered(louder, field), by=None, now=at(2))
    assert list(Policy.objects.values_list(field, flat=True)) == [quieter]
