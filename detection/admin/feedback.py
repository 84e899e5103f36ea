from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from detection.admin.reading import JudgedAdmin
from detection.messages import refusal_told
from detection.models import Label, Proposal
from detection.services.labels import (
    apply_proposal,
    dismiss_proposal,
    label_deviation,
    revert_proposal,
    revoke_label,
)
from detection.tasks import try_proposals
from ingest import steady_clock
from ingest.admin.by_source import BY_SOURCE, BySource
from ingest.admin.moments import InCalendar

KIND_COLOURS = {"incident": "danger", "noise": "warning", "expected": "success"}
STATE_COLOURS = {"offered": "info", "applied": "success", "refused": "danger"}


def enqueue_proposals() -> None:
    """Have new proposals tried, once they are committed, where a backtest delays nothing urgent.

    Without a broker the next beat has them tried.
    """
    transaction.on_commit(lambda: try_proposals.apply_async(queue="train"), robust=True)


@admin.register(Label)
class LabelAdmin(BySource, InCalendar, ModelAdmin):
    list_display = (
        "source",
        "shown_kind",
        "family",
        "starts",
        "ends",
        "author",
        "incident",
        "revoked",
    )
    list_filter = ("kind", "family", ("revoked", admin.EmptyFieldListFilter), BY_SOURCE)
    search_fields = ("note", "source__name", "author__username")
    autocomplete_fields = ("source",)
    date_hierarchy = "starts"
    list_select_related = ("source", "author")
    fields = ("source", "kind", "family", "starts", "ends", "note")
    actions = ("revoke",)

    @display(description="kind", ordering="kind", label=KIND_COLOURS)
    def shown_kind(self, label: Label) -> str:
        return label.kind

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # a label is said once; another opinion is another label, and this one is taken back
        return obj is None and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: Label, form: "ModelForm[Label]", change: bool
    ) -> None:
        said = label_deviation(
            source=obj.source,
            kind=obj.kind,
            family=obj.family,
            starts=obj.starts,
            ends=obj.ends,
            note=obj.note,
            author=request.user,  # type: ignore[arg-type]
            now=steady_clock.now(),
        )
        obj.pk = said.pk
        enqueue_proposals()

    @admin.action(description="Take back", permissions=["add"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[Label]) -> None:
        for label in chosen.filter(revoked=None):
            revoke_label(label=label, by=request.user, now=steady_clock.now())  # type: ignore[arg-type]
        self.message_user(request, _("Taken back: their minutes will be judged again."))


@admin.register(Proposal)
class ProposalAdmin(JudgedAdmin):
    list_display = ("created", "label", "changes", "shown_state", "reason", "decided_by")
    list_filter = ("state",)
    search_fields = ("reason", "label__source__name")
    date_hierarchy = "created"
    list_select_related = ("label", "decided_by")
    actions = ("apply", "dismiss", "revert")

    @display(description="state", ordering="state", label=STATE_COLOURS)
    def shown_state(self, proposal: Proposal) -> str:
        return proposal.state

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("detection.change_policy")

    @admin.action(description="Apply", permissions=["decide"])
    def apply(self, request: HttpRequest, chosen: QuerySet[Proposal]) -> None:
        self._do(request, chosen, apply_proposal)

    @admin.action(description="Dismiss", permissions=["decide"])
    def dismiss(self, request: HttpRequest, chosen: QuerySet[Proposal]) -> None:
        self._do(request, chosen, dismiss_proposal)

    @admin.action(description="Revert", permissions=["decide"])
    def revert(self, request: HttpRequest, chosen: QuerySet[Proposal]) -> None:
        self._do(request, chosen, revert_proposal)

    def _do(
        self,
        request: HttpRequest,
        chosen: QuerySet[Proposal],
        service: Callable[..., Proposal],
    ) -> None:
        done = 0
        for proposal in chosen:
            try:
                service(proposal=proposal, by=request.user, now=steady_clock.now())
                done += 1
            except ValueError as error:
                self.message_user(request, refusal_told(error, get_language()), messages.ERROR)
        if done:
            self.message_user(request, _("Done: %(number)s.") % {"number": done})
