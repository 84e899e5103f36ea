"""`manage.py access_table`: every route and method, and who may call it."""

from typing import Any

from django.contrib import admin
from django.core.management.base import BaseCommand

from guardian_site.access.deciding import Caller, decide, is_open
from guardian_site.access.middleware import openings
from guardian_site.access.roles import Role, least_for
from guardian_site.access.routes import all_routes
from guardian_site.access.rules import Rule, Scope, methods_of

LINE = "{:<44} {:<7} {:<7} {:<7} {:<9} {:<6} {:<7} {:<5} {}"
CALLERS = [
    *(Caller(role.value, True, role) for role in Role),
    *(Caller(scope, True, scopes=frozenset({scope})) for scope in (Scope.REPORT, Scope.READ)),
]


class Command(BaseCommand):
    help = "Print who may call what under the present settings: people by role, keys by scope."

    def handle(self, *args: Any, **options: Any) -> None:
        head = ("path", "method", "anybody", "viewer", "operator", "admin", "report", "read")
        self.stdout.write(LINE.format(*head, "(keys: report, read; an admin key may as an admin)"))
        for route, path in sorted(all_routes().items(), key=lambda item: item[1]):
            if route.startswith("admin:"):
                continue
            for method, rule in (methods_of(route) or {}).items():
                self.stdout.write(_line(f"/{path}", method, rule))
        self.stdout.write("\nRows in /admin/, and the same rows elsewhere")
        for model in sorted(admin.site._registry, key=lambda one: one._meta.label_lower):
            self._model(model._meta.app_label, model._meta.model_name or "")

    def _model(self, app_label: str, model: str) -> None:
        least = least_for(app_label, model)
        words = [f"{action}: {role or 'nobody'}" for action, role in least._asdict().items()]
        self.stdout.write(f"{app_label + '.' + model:<32} {', '.join(words)}")


def _line(path: str, method: str, rule: Rule) -> str:
    anybody = "yes" if is_open(rule, openings()) else "-"
    marks = ["yes" if decide(rule, caller, ()).allowed else "-" for caller in CALLERS]
    why = rule.proof and f"the view checks {rule.proof}"
    return LINE.format(path, method, anybody, *marks, why or (rule.opening or ""))
