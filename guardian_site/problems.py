"""How the API reads bodies and tells refusals: one form, no surprises."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.parsers import JSONParser
from rest_framework.response import Response
from rest_framework.views import exception_handler

NAMED_AT_MOST = 100


class StrictJSON(JSONParser):
    """JSON without what a database or an answer cannot hold, and of a depth that can be read."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            found = super().parse(stream, media_type, parser_context)
            text = json.dumps(found, ensure_ascii=False)
            text.encode()
        except RecursionError:
            raise ParseError("The body is nested too deeply.") from None
        except UnicodeEncodeError:
            raise ParseError("A \\u escape names half a character.") from None
        if "\\u0000" in text:
            raise ParseError("The body holds a NUL character.")
        return found


def one_form(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer every refusal of the API as `{"detail": …, "errors": [{"field", "message"}]}`."""
    response = exception_handler(error, context)
    if response is not None and isinstance(error, ValidationError):
        errors = list(_errors(error.detail, ""))[:NAMED_AT_MOST]
        response.data = {"detail": "Not every value is valid.", "errors": errors}
    return response


def _errors(detail: Any, field: str) -> Iterator[dict[str, str]]:
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            own = "" if name == "non_field_errors" else str(name)
            yield from _errors(inner, ".".join(part for part in (field, own) if part))
    elif isinstance(detail, list):
        for place, inner in enumerate(detail):
            nested = isinstance(inner, (Mapping, list))
            yield from _errors(inner, f"{field}[{place}]" if nested else field)
    else:
        yield {"field": field or "body", "message": str(detail)}
