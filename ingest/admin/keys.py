from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext as _
from unfold.admin import ModelAdmin

from ingest.admin.by_source import BY_SOURCE, BySource
from ingest.admin.moments import InCalendar
from ingest.admin.sources import show_secret
from ingest.models import ApiKey
from ingest.services.keys import forget_keys, issue_key, revoke_key, rotate_key


@admin.register(ApiKey)
class ApiKeyAdmin(BySource, InCalendar, ModelAdmin):
    list_display = (
        "name",
        "prefix",
        "source",
        "scopes",
        "created",
        "last_used",
        "expires",
        "revoked",
    )
    list_filter = ("scopes", BY_SOURCE, "signed_only")
    list_select_related = ("source",)
    search_fields = ("name", "prefix", "source__name")
    date_hierarchy = "created"
    readonly_fields = ("prefix", "created", "revoked", "last_used", "successor")
    autocomplete_fields = ("source",)
    actions = ("revoke", "rotate")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # A key that was used is revoked, so that its traces keep a name.
        return False

    def save_model(
        self, request: HttpRequest, obj: ApiKey, form: "ModelForm[Any]", change: bool
    ) -> None:
        if change:
            super().save_model(request, obj, form, change)
            forget_keys()
            return
        given = form.cleaned_data
        key, secret = issue_key(
            name=given["name"],
            source=given["source"],
            scopes=given["scopes"].split(),
            rate_limit=given["rate_limit"],
            expires=given["expires"],
            signed_only=given["signed_only"],
        )
        obj.pk, obj.prefix, obj.secret_hash = key.pk, key.prefix, key.secret_hash
        show_secret(request, key, secret)

    @admin.action(description="Revoke", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: "QuerySet[ApiKey]") -> None:
        for key in queryset:
            revoke_key(key=key)
        messages.success(request, _("Revoked: %(number)s.") % {"number": len(queryset)})

    @admin.action(description="Replace with a new key and end the old one", permissions=["change"])
    def rotate(self, request: HttpRequest, queryset: "QuerySet[ApiKey]") -> None:
        for key in queryset.filter(revoked=None):
            successor, secret = rotate_key(key=key)
            show_secret(request, successor, secret)
