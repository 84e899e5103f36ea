from celery import shared_task
from django.conf import settings
from django.db import transaction

from detection.models import Proposal
from detection.parts import Part
from detection.services import trials
from detection.services.labels import try_proposal
from detection.services.sweep import sweep_closed_minutes as sweep
from detection.services.training import retrain_forest as retrain
from ingest import steady_clock


@shared_task
def sweep_closed_minutes() -> None:
    parts = settings.GUARDIAN_SWEEP_PARTS
    if parts == 1:
        sweep()
        return
    for number in range(parts):
        # A part that waits until the next sweep begins is no longer needed.
        sweep_part.apply_async((number, parts), expires=10)


@shared_task
def sweep_part(number: int, of: int) -> None:
    sweep(part=Part(number, of))


@shared_task
def retrain_forest() -> None:
    retrain(now=steady_clock.now())


@shared_task
def run_backtest(number: int) -> None:
    claimed = trials.claim_backtest(number=number, now=steady_clock.now())
    if claimed is not None:
        trials.run_backtest(backtest=claimed)


def enqueue_backtest(number: int) -> None:
    """Have it run once it is committed; without a broker, once beat finds it waiting."""
    # Whoever asked does not wait for a broker that hangs.
    transaction.on_commit(
        lambda: run_backtest.apply_async((number,), queue="train", retry=False), robust=True
    )


@shared_task
def resume_backtests() -> None:
    for number in trials.resume_backtests(now=steady_clock.now()):
        # What has not begun by then is sent again.
        run_backtest.apply_async((number,), queue="train", expires=60)


@shared_task
def try_proposals() -> None:
    for proposal in Proposal.objects.filter(state=Proposal.State.WAITING).order_by("pk"):
        try_proposal(proposal=proposal, now=steady_clock.now())
