"""Completes the OpenAPI description: who may call each operation, and how refusals look."""

import re
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

from guardian_site.access.routes import all_routes
from guardian_site.access.rules import Opening, Rule, Scope, methods_of
from guardian_site.openapi.plain_views import PLAIN_VIEWS

PROBLEM = {
    "type": "object",
    "properties": {
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
                "required": ["field", "message"],
            },
        },
    },
    "required": ["detail"],
}
LIMITED = {
    "type": "object",
    "properties": {
        "error": {"type": "string"},
        "detail": {"type": "string"},
        "retry_after": {"type": "integer", "description": "Seconds."},
    },
    "required": ["detail"],
}
CLIENT_CREDENTIALS = {
    "type": "oauth2",
    "description": "The client id is the prefix of an API key, the client secret the key itself.",
    "flows": {
        "clientCredentials": {
            "tokenUrl": "/auth/token",
            "scopes": {scope.value: str(scope.label) for scope in Scope},
        }
    },
}
WORDS = {
    "400": "Not valid; the answer says what is wrong.",
    "401": "Not signed in, or no longer: sign in, or send a key.",
    "403": "Signed in, but not allowed to do this.",
    "404": "Not found.",
    "406": "Only JSON is given.",
    "413": "Too large.",
    "415": "Only JSON is taken.",
    "429": "Too many requests; try again after Retry-After.",
}
Operation = dict[str, Any]


class Doors(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """A token of a person, or an API key."""

    target_class = "guardian_site.access.authentication.AlreadyIdentified"
    name = ["token", "apiKey"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        return [
            {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        ]


class KeyDoor(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The same key, on the routes that ingest guards itself where it is used alone."""

    target_class = "ingest.authentication.ApiKeyAuthentication"
    name = "keyAlone"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": "X-API-Key"}


def tell_who_may(
    result: dict[str, Any], generator: Any, request: Any, public: bool
) -> dict[str, Any]:
    """Complete the description from the rules: security, refusals, who may."""
    components = result.setdefault("components", {})
    # Each operation gets its schemes from its rule below.
    kept = {"token", "apiKey"}
    schemes = components.get("securitySchemes", {})
    components["securitySchemes"] = {name: schemes[name] for name in schemes if name in kept}
    components["securitySchemes"]["client"] = CLIENT_CREDENTIALS
    schemas = components.setdefault("schemas", {})
    schemas["Problem"], schemas["RateLimited"] = PROBLEM, LIMITED
    routes = {_shape(path): route for route, path in all_routes().items()}
    for path, operations in result["paths"].items():
        methods = methods_of(routes.get(_shape(path), "")) or {}
        for method, operation in operations.items():
            rule = methods.get(method.upper())
            if rule is not None:
                _complete(operation, rule, negotiates=path not in PLAIN_VIEWS)
    return result


def _shape(path: str) -> str:
    """Return a path with its parameters made alike, however they are written."""
    return re.sub(r"<[^>]*>|{[^}]*}", "{}", path.strip("/"))


def _complete(operation: Operation, rule: Rule, *, negotiates: bool) -> None:
    operation["security"] = _security(rule)
    who = _who(rule)
    operation["description"] = f"{operation.get('description', '')}\n\nWho may: {who}.".strip()
    responses = operation.setdefault("responses", {})
    given = {place["in"] for place in operation.get("parameters", ())}
    wanted = ["406"] if negotiates else []
    if "requestBody" in operation or given & {"query"}:
        wanted.append("400")
    if "requestBody" in operation:
        wanted += ["413", "415"]
    if "path" in given:
        wanted += ["400", "404"]
    for status in wanted:
        responses.setdefault(status, _response(status))
    if rule.opening is not Opening.ALWAYS:
        # Whatever the view describes, these two are answered before it, in this form.
        responses |= {status: _response(status) for status in ("401", "403")}
    elif rule.proof:
        responses |= {status: _response(status) for status in ("401", "403")} | responses
    responses["429"] = _response("429")


def _response(status: str) -> dict[str, Any]:
    name = "RateLimited" if status == "429" else "Problem"
    reference = {"$ref": f"#/components/schemas/{name}"}
    return {
        "description": WORDS[status],
        "content": {"application/json": {"schema": reference}},
    }


def _security(rule: Rule) -> list[dict[str, list[str]]]:
    if rule.opening is Opening.ALWAYS:
        return [{}]
    ways: list[dict[str, list[str]]] = [{"token": []}]
    if rule.scope is not None or rule.known:
        ways.append({"apiKey": []})
        ways.append({"client": [rule.scope] if rule.scope else []})
    return [*ways, {}] if rule.opening is not None else ways


def _who(rule: Rule) -> str:
    ways = []
    if rule.role is not None:
        ways.append(f"people from the role {rule.role} on")
    if rule.scope is not None:
        others = "" if rule.scope == Scope.ADMIN else " (or admin)"
        ways.append(f"keys with the scope {rule.scope}{others}")
    if rule.known:
        ways.append("everybody who shows who they are")
    if rule.proof:
        ways.append(f"whoever brings {rule.proof}")
    elif rule.opening is not None:
        ways.append(str(rule.opening))
    return "; ".join(ways)
