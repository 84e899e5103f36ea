"""Every route and method of the site has a rule, and the rules are what was agreed."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from guardian_site.access.checks import every_route_has_a_rule
from guardian_site.access.deciding import NOBODY, Caller, decide
from guardian_site.access.middleware import rule_for
from guardian_site.access.roles import Role
from guardian_site.access.routes import all_routes
from guardian_site.access.rules import RULES, Opening, methods_of
from guardian_site.urls import urlpatterns as site_patterns

# The whole list of what anybody may do wherever Guardian runs, opening or not.
OPEN_TO_ANYBODY = {
    "health", "health-live", "health-ready", "login", "logout", "admin-login", "admin:logout",
    "auth-login", "auth-refresh", "auth-token", "runbook", "oidc_authentication_init",
    "auth-revoke", "auth-introspect", "oauth-metadata",
}  # fmt: skip
CHANGING = ("POST", "PUT", "PATCH", "DELETE")


def forgotten(request: HttpRequest) -> HttpResponse:
    return HttpResponse("what nobody has said who may see")


urlpatterns = [*site_patterns, path("forgotten", forgotten, name="forgotten")]


def test_no_route_is_without_a_rule() -> None:
    assert [route for route in all_routes() if methods_of(route) is None] == []


@override_settings(ROOT_URLCONF=__name__)
def test_a_new_route_without_a_rule_is_refused_by_the_checks() -> None:
    assert [message.id for message in every_route_has_a_rule(None)] == ["guardian.E020"]


@pytest.mark.django_db
@override_settings(ROOT_URLCONF=__name__)
def test_a_new_route_without_a_rule_lets_nobody_in() -> None:
    assert Client().get("/forgotten").status_code == 401


def test_no_rule_is_left_over_from_a_route_that_is_gone() -> None:
    assert set(RULES) - set(all_routes()) == set()


def test_what_is_open_to_anybody_is_this_list_alone() -> None:
    found = {
        route
        for route in all_routes()
        for rule in (methods_of(route) or {}).values()
        if rule.opening is Opening.ALWAYS and (not rule.proof or route.startswith("auth-"))
    }
    assert found == OPEN_TO_ANYBODY


def _changing() -> list[tuple[str, str]]:
    return [
        (route, method)
        for route in all_routes()
        for method in methods_of(route) or {}
        if method in CHANGING and route not in OPEN_TO_ANYBODY
    ]


@pytest.mark.parametrize(("route", "method"), _changing())
def test_a_viewer_changes_nothing(route: str, method: str) -> None:
    rule = rule_for(route, method)
    assert rule is not None
    allowed = decide(rule, Caller("vi", True, Role.VIEWER), ()).allowed
    only_about_themselves = route in ("auth-logout", "admin:password_change")
    assert allowed is (only_about_themselves or bool(rule.proof))


@pytest.mark.parametrize("route", ["reset", "cache-flush", "auth-api-keys", "auth-stats"])
def test_what_could_do_harm_is_for_administrators(route: str) -> None:
    for rule in (methods_of(route) or {}).values():
        assert not decide(rule, Caller("op", True, Role.OPERATOR), tuple(Opening)).allowed
        assert not decide(rule, NOBODY, tuple(Opening) if not rule.opening else ()).allowed
        assert decide(rule, Caller("ad", True, Role.ADMIN), ()).allowed


@pytest.mark.parametrize(
    "route", ["live", "anomalies", "stats", "incidents", "stream", "live-json"]
)
def test_reading_is_open_through_its_opening_and_to_viewers_otherwise(route: str) -> None:
    rule = rule_for(route, "GET")
    assert rule is not None
    assert decide(rule, NOBODY, {Opening.READING}).allowed
    assert not decide(rule, NOBODY, {Opening.REPORTING}).allowed
    assert decide(rule, Caller("vi", True, Role.VIEWER), ()).allowed


def test_somebody_without_a_role_may_only_ask_who_they_are() -> None:
    nobody_yet = Caller("new", known=True)
    may = [
        route
        for route in all_routes()
        for rule in (methods_of(route) or {}).values()
        if decide(rule, nobody_yet, ()).allowed and rule.opening is not Opening.ALWAYS
    ]
    assert sorted(may) == ["auth-logout", "auth-me"]
