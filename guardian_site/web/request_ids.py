"""Gives every request an id: the caller's if it sent a sound one, else a new one."""

import re
import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from guardian_site.telemetry.logging import request_id

HEADER = "X-Request-ID"
# What outsiders name goes into log lines: a short word, never a line break.
SOUND = re.compile(r"[\w.:-]{1,64}", re.ASCII)


class RequestIds:
    """The id is on every log line written for the request, and in the answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        sent = request.META.get("HTTP_X_REQUEST_ID", "")
        asked = sent if SOUND.fullmatch(sent) else secrets.token_hex(8)
        token = request_id.set(asked)
        try:
            response = self.get_response(request)
        finally:
            request_id.reset(token)
        response[HEADER] = asked
        return response
