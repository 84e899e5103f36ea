"""The page on which people sign in, and the way out to the outside provider and back."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, LogoutView
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from mozilla_django_oidc.views import (
    OIDCAuthenticationCallbackView,
    OIDCAuthenticationRequestView,
)

from guardian_site.access.second_factor import passes_second_factor, second_factors_in_use

CODE_NEEDED = _("Enter your two-factor code.")
CODE_REFUSED = _("That code is wrong, was already used, or came too soon after a wrong one.")


class SignInForm(AuthenticationForm):
    """Name and password, and the code of a phone from those who set one up."""

    code = forms.CharField(max_length=16, required=False)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean()
        user: User | None = self.user_cache
        code = cleaned.get("code", "")
        if user is not None and not passes_second_factor(user=user, code=code):
            raise forms.ValidationError(CODE_REFUSED if code else CODE_NEEDED, code="code")
        return cleaned


class SignInPage(LoginView):
    template_name = "login.html"
    next_page = "live"
    authentication_form = SignInForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {
            **super().get_context_data(**kwargs),
            "asks_for_code": second_factors_in_use(),
            "outside": settings.GUARDIAN_OIDC_NAME if settings.OIDC_RP_CLIENT_ID else "",
        }


class SignOut(LogoutView):
    next_page = "live"


def _only_if_there_is_one() -> None:
    if not settings.OIDC_RP_CLIENT_ID:
        raise Http404("No outside provider is set up.")


class OutsideDoor(OIDCAuthenticationRequestView):  # type: ignore[misc]  # the library has no types
    def get(self, request: HttpRequest) -> HttpResponse:
        _only_if_there_is_one()
        answer: HttpResponse = super().get(request)
        return answer


class OutsideReturn(OIDCAuthenticationCallbackView):  # type: ignore[misc]  # the library has no types
    def get(self, request: HttpRequest) -> HttpResponse:
        _only_if_there_is_one()
        answer: HttpResponse = super().get(request)
        return answer
