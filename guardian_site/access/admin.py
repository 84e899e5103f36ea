"""People, teams, sign-ins and the audit log in the admin."""

from typing import Any

from auditlog.models import LogEntry
from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_totp.admin import TOTPDeviceAdmin
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminSelectWidget

from guardian_site.access.exposure import somebody_administers
from guardian_site.access.models import SignIn, Team
from guardian_site.access.roles import Role, role_of
from guardian_site.access.services.people import give_role
from guardian_site.access.services.signing_in import sign_out, sign_out_everywhere
from ingest.admin.by_source import SomeSources
from ingest.admin.reading import ReadOnly

admin.site.unregister(User)
admin.site.unregister(Group)
admin.site.unregister(TOTPDevice)
if admin.site.is_registered(LogEntry):
    admin.site.unregister(LogEntry)

ROLE_CHOICES = [("", "None: no access at all"), *((role.value, role.value) for role in Role)]

SUPERUSER = _("A superuser stays admin, whatever the role; make the account inactive instead.")
LAST_ONE = _("Nobody would be left to administer: give another account the role admin first.")


class RoleField(forms.ChoiceField):
    widget = UnfoldAdminSelectWidget

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=ROLE_CHOICES, required=False, **kwargs)


class PersonForm(UserChangeForm):
    role = RoleField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        role = role_of(self.instance)
        self.fields["role"].initial = role.value if role else ""

    def clean(self) -> dict[str, Any]:
        asked: dict[str, Any] = super().clean() or self.cleaned_data
        person, role = self.instance, asked.get("role")
        if person.is_superuser and role != Role.ADMIN:
            raise forms.ValidationError({"role": SUPERUSER})
        goes = role != Role.ADMIN or not asked.get("is_active")
        others = User.objects.exclude(pk=person.pk)
        if goes and role_of(person) is Role.ADMIN and not somebody_administers(others):
            raise forms.ValidationError(LAST_ONE)
        return asked


class NewPersonForm(UserCreationForm):
    role = RoleField(initial=Role.VIEWER.value)


@admin.register(User)
class PersonAdmin(UserAdmin, ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    form = PersonForm
    add_form = NewPersonForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "first_name", "last_name", "email", "role", "is_active")
    list_filter = ("is_active", "groups", "teams")
    fieldsets = (
        (None, {"fields": ("username", "password", "role", "is_active")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "role", "password1", "password2")}),)
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ()
    actions = ("end_sign_ins",)

    @admin.display(description="role")
    def role(self, person: User) -> str:
        return role_of(person) or "none"

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        role = form.cleaned_data.get("role", "")
        give_role(user=form.instance, role=Role(role) if role else None)

    @admin.action(description="End every sign-in through the API", permissions=["change"])
    def end_sign_ins(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        ended = sum(sign_out_everywhere(user=user, now=timezone.now()) for user in queryset)
        self.message_user(request, _("Ended: %(number)s.") % {"number": ended})


@admin.register(Team)
class TeamAdmin(SomeSources):
    list_display = ("name",)
    search_fields = ("name",)
    filter_horizontal = ("members",)


@admin.register(SignIn)
class SignInAdmin(ModelAdmin):
    list_display = ("user", "address", "started", "refreshed", "expires", "ended")
    list_filter = ("ended", "user")
    list_select_related = ("user",)
    fields = list_display
    actions = ("end",)

    @admin.action(description="End these sign-ins", permissions=["delete"])
    def end(self, request: HttpRequest, queryset: QuerySet[SignIn]) -> None:
        for row in queryset:
            sign_out(sign_in_id=row.pk, now=timezone.now())
        self.message_user(request, _("Ended: %(number)s.") % {"number": len(queryset)})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(TOTPDevice)
class SecondFactorAdmin(TOTPDeviceAdmin, ModelAdmin):
    """The same page in the looks of the others."""

    def config_view(self, request: HttpRequest, pk: int) -> Any:
        get_object_or_404(TOTPDevice, pk=pk)
        return super().config_view(request, pk)

    def qrcode_view(self, request: HttpRequest, pk: int) -> Any:
        get_object_or_404(TOTPDevice, pk=pk)
        return super().qrcode_view(request, pk)


@admin.register(LogEntry)
class AuditAdmin(ReadOnly, ModelAdmin):
    """The audit log: read, filtered, never touched."""

    list_display = (
        "timestamp",
        "by",
        "remote_addr",
        "action",
        "content_type",
        "object_repr",
        "what",
    )
    list_filter = (
        ("timestamp", admin.DateFieldListFilter),
        "action",
        ("content_type", admin.RelatedOnlyFieldListFilter),
        ("actor", admin.RelatedOnlyFieldListFilter),
    )
    list_select_related = ("actor", "content_type")
    search_fields = ("object_repr", "actor__username", "remote_addr", "object_pk")
    date_hierarchy = "timestamp"
    fields = ("timestamp", "by", "remote_addr", "action", "content_type", "object_repr", "what")
    readonly_fields = fields

    @admin.display(description="by")
    def by(self, entry: LogEntry) -> str:
        who = (entry.additional_data or {}).get("by") or entry.actor
        return str(who or "Guardian itself")

    @admin.display(description="what changed")
    def what(self, entry: LogEntry) -> SafeString:
        rows = [(name, *_before_after(change)) for name, change in entry.changes_dict.items()]
        return format_html_join("\n", "<div><b>{}</b>: {} → {}</div>", rows)


def _before_after(change: Any) -> tuple[str, str]:
    if isinstance(change, dict):
        return str(change.get("operation", "")), ", ".join(map(str, change.get("objects", ())))
    return str(change[0]), str(change[1])
