"""Routes of sign-in, keys and the reset."""

from django.urls import path
from django.views.generic import RedirectView

from guardian_site.access.views.clients import (
    ClientTokenView,
    IntrospectView,
    RevokeView,
    ServerMetadataView,
)
from guardian_site.access.views.keys import KeysView, KeyView, RotateKeyView, StatsView
from guardian_site.access.views.pages import OutsideDoor, OutsideReturn, SignInPage, SignOut
from guardian_site.access.views.reset import ResetView
from guardian_site.access.views.signing_in import (
    LoginView,
    LogoutView,
    MeView,
    RefreshView,
)

urlpatterns = [
    path("login", SignInPage.as_view(), name="login"),
    path("logout", SignOut.as_view(), name="logout"),
    # One page for all: it asks for the second factor and offers the outside provider.
    path(
        "admin/login/",
        RedirectView.as_view(pattern_name="login", query_string=True),
        name="admin-login",
    ),
    path("outside/login", OutsideDoor.as_view(), name="oidc_authentication_init"),
    path("outside/return", OutsideReturn.as_view(), name="oidc_authentication_callback"),
    path("reset", ResetView.as_view(), name="reset"),
    path("auth/login", LoginView.as_view(), name="auth-login"),
    path("auth/refresh", RefreshView.as_view(), name="auth-refresh"),
    path("auth/token", ClientTokenView.as_view(), name="auth-token"),
    path("auth/revoke", RevokeView.as_view(), name="auth-revoke"),
    path("auth/introspect", IntrospectView.as_view(), name="auth-introspect"),
    path(
        ".well-known/oauth-authorization-server",
        ServerMetadataView.as_view(),
        name="oauth-metadata",
    ),
    path("auth/logout", LogoutView.as_view(), name="auth-logout"),
    path("auth/me", MeView.as_view(), name="auth-me"),
    path("auth/stats", StatsView.as_view(), name="auth-stats"),
    path("auth/api-keys", KeysView.as_view(), name="auth-api-keys"),
    path("auth/api-keys/<str:key>", KeyView.as_view(), name="auth-api-key"),
    path("auth/api-keys/<str:key>/rotate", RotateKeyView.as_view(), name="auth-api-key-rotate"),
]
