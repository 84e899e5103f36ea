"""The page on which people sign in, and the way out to the outside provider and back."""

import logging
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, LogoutView
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from mozilla_django_oidc.views import (
    OIDCAuthenticationCallbackView,
    OIDCAuthenticationRequestView,
)

from guardian_site.access.second_factor import passes_second_factor, second_factors_in_use

logger = logging.getLogger(__name__)
CODE_NEEDED = _("Enter your two-factor code.")
CODE_REFUSED = _("That code is wrong, was already used, or came too soon after a wrong one.")
OUTSIDE_FAILED = _("Signing in with %(outside)s did not work. Try again, or ask an administrator.")
OUTSIDE_NO_ROLE = _("You signed in with %(outside)s, but have no role here. Ask an administrator.")


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
            "outside": outside_name() if settings.OIDC_RP_CLIENT_ID else "",
        }


class SignOut(LogoutView):
    next_page = "live"


def outside_name() -> str:
    """Return what people call the outside provider; of our own words, in their language."""
    return gettext(settings.GUARDIAN_OIDC_NAME)


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
        if request.GET.get("state", "") not in request.session.get("oidc_states", {}):
            return self.not_waited_for()
        answer: HttpResponse = super().get(request)
        return answer

    def not_waited_for(self) -> HttpResponse:
        """Lead on who loaded the page again, or was sent here by a page of somebody else's."""
        logger.warning("Outside sign-in refused: nobody waits for this return")
        if self.request.user.is_authenticated:
            return HttpResponseRedirect(self.success_url)
        return self.login_failure()

    def login_failure(self) -> HttpResponse:
        """Lead back to the page of the sign-in, which says why and leads on as before."""
        unknown = getattr(self.request, "without_role", False)
        told = OUTSIDE_NO_ROLE if unknown else OUTSIDE_FAILED
        messages.error(self.request, told % {"outside": outside_name()})
        wanted = self.request.session.get("oidc_login_next")
        query = f"?{urlencode({'next': wanted})}" if wanted else ""
        return HttpResponseRedirect(resolve_url(self.failure_url) + query)
