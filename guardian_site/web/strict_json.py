"""The JSON that the API reads."""

import json
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class StrictJSON(JSONParser):
    """JSON of limited depth, without characters that a database or an answer cannot hold."""

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
