"""Rows that people read and that only services write."""

from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline


class ReadOnly:
    """Nothing is added, changed or deleted by hand: the history stays true."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnlyAdmin(ReadOnly, ModelAdmin):
    list_per_page = 50


class ReadOnlyInline(ReadOnly, TabularInline):
    extra = 0
    show_change_link = False


def may(request: HttpRequest, permission: str) -> bool:
    """Say whether the user has a permission of this app."""
    return request.user.has_perm(f"alerts.{permission}")


__all__ = ["ReadOnlyAdmin", "ReadOnlyInline", "may"]
