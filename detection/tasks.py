from celery import shared_task
from django.utils import timezone

from detection.models import Backtest, Proposal
from detection.services.backtesting import run_backtest as judge_history
from detection.services.labels import try_proposal
from detection.services.sweep import sweep_closed_minutes as sweep
from detection.services.training import retrain_forest as retrain


@shared_task
def sweep_closed_minutes() -> None:
    sweep()


@shared_task
def retrain_forest() -> None:
    retrain(now=timezone.now())


@shared_task
def run_backtest(number: int) -> None:
    # a second delivery of the same message finds it begun
    waiting = Backtest.objects.filter(pk=number, state=Backtest.State.WAITING).first()
    if waiting is not None:
        judge_history(backtest=waiting)


@shared_task
def try_proposals() -> None:
    for proposal in Proposal.objects.filter(state=Proposal.State.WAITING).order_by("pk"):
        try_proposal(proposal=proposal, now=timezone.now())
