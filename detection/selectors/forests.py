"""Which forests there are."""

from datetime import datetime

from django.db.models import Max, QuerySet

from detection.models import ForestVersion


def live_mark() -> tuple[int, datetime] | None:
    """Number and training time of the live forest: what tells one from the next."""
    return (
        ForestVersion.objects.filter(state=ForestVersion.State.LIVE)
        .values_list("pk", "trained")
        .first()
    )


def live_version() -> ForestVersion | None:
    """The forest in use, with its arrays."""
    return ForestVersion.objects.filter(state=ForestVersion.State.LIVE).first()


def former_versions() -> QuerySet[ForestVersion]:
    """The forests that were in use before the live one, the last of them first."""
    retired = ForestVersion.objects.filter(state=ForestVersion.State.RETIRED)
    return retired.exclude(promoted=None).order_by("-promoted")


def last_rollback() -> datetime | None:
    """When a forest was last rolled back from; None where none ever was."""
    newest: datetime | None = ForestVersion.objects.aggregate(at=Max("rolled_back"))["at"]
    return newest


def last_refusal() -> datetime | None:
    """When the newest of the forests was trained that never served; None where all did."""
    shadows = ForestVersion.objects.filter(state=ForestVersion.State.SHADOW)
    newest: datetime | None = shadows.aggregate(at=Max("trained"))["at"]
    return newest


def forest_versions() -> QuerySet[ForestVersion]:
    """All versions, the newest first, without their arrays."""
    return ForestVersion.objects.defer("model")
