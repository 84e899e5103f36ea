"""Bodies that are sent in chunks, without a length, as some HTTP libraries do."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from django.http import HttpRequest


def comes_in_chunks(environ: Mapping[str, Any]) -> bool:
    """Tell whether a body has no length, and comes through a server that finds its end."""
    unknown = not environ.get("CONTENT_LENGTH") and "HTTP_TRANSFER_ENCODING" in environ
    return unknown and bool(environ.get("wsgi.input_terminated"))


def gather(request: HttpRequest, most: int) -> bool:
    """The body is read, as if sent with a length; False if it is longer than `most` bytes."""
    body = request.read(most + 1)
    if len(body) > most:
        return False
    request._stream, request._read_started = BytesIO(body), False  # type: ignore[attr-defined]
    request.META["CONTENT_LENGTH"] = str(len(body))
    del request.META["HTTP_TRANSFER_ENCODING"]
    return True
