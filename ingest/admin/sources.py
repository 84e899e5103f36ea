from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action

from ingest.admin.clicks import clicked_here
from ingest.models import ApiKey, Source, first_count
from ingest.services.keys import issue_key
from ingest.services.proving import signing_secret
from ingest.services.sources import forget_sources


class ApiKeyInline(TabularInline):
    model = ApiKey
    fk_name = "source"
    extra = 0
    fields = (
        "name",
        "prefix",
        "scopes",
        "rate_limit",
        "created",
        "expires",
        "revoked",
        "last_used",
    )
    readonly_fields = fields
    show_change_link = True
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # A key is issued by the action: only then is there a secret to show.
        return False


@admin.register(Source)
class SourceAdmin(ModelAdmin):
    list_display = ("name", "title", "time_zone", "enabled", "parent", "created")
    list_filter = ("enabled", "time_zone")
    search_fields = ("name", "title")
    date_hierarchy = "created"
    list_select_related = ("parent",)
    autocomplete_fields = ("parent",)
    inlines = (ApiKeyInline,)
    actions_detail = ("issue_api_key",)

    def save_model(
        self, request: HttpRequest, obj: Source, form: "ModelForm[Any]", change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        forget_sources()

    def get_deleted_objects(self, objs: Iterable[Source], request: HttpRequest) -> Any:
        # Django would read all that was reported to list it: minutes, and the memory of a server.
        reported = [one for one in objs if first_count([one.pk]) is not None]
        if reported:
            told = _("the reports of %(source)s. Disable it instead, or ask for forget_source.")
            return [], {}, set(), [told % {"source": one.name} for one in reported]
        return super().get_deleted_objects(objs, request)

    def has_issue_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return request.user.has_perm("ingest.add_apikey")

    @action(description="Issue API key", icon="key", permissions=["issue"])
    @clicked_here
    def issue_api_key(self, request: HttpRequest, object_id: str) -> HttpResponse:
        source = Source.objects.get(pk=object_id)
        key, secret = issue_key(name=f"key of {source.name}", source=source)
        show_secret(request, key, secret)
        return redirect("admin:ingest_source_change", object_id)


def show_secret(request: HttpRequest, key: ApiKey, secret: str) -> None:
    """Show a new secret, this once, and what requests are signed with in its place."""
    if not key.signed_only:
        told = _("Copy the key now; it is not shown again: %(secret)s")
        messages.warning(request, told % {"secret": secret})
    told = _("Requests are signed with this secret; it is not shown again: %(secret)s")
    signed_with = signing_secret(prefix=key.prefix, secret_hash=key.secret_hash)
    messages.warning(request, told % {"secret": signed_with})
