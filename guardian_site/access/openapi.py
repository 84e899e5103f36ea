"""How the doors and their refusals stand in the OpenAPI description."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class Doors(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """A token of a person, or an API key."""

    target_class = "guardian_site.access.authentication.AlreadyIdentified"
    name = ["token", "apiKey"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        return [
            {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        ]
