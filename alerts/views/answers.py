"""Answers that cost a page nothing when nothing changed."""

import hashlib
from datetime import datetime
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.http import parse_etags, quote_etag

encode = msgspec.json.Encoder(decimal_format="number").encode


def json_with_etag(request: HttpRequest, body: dict[str, Any], *, now: datetime) -> HttpResponse:
    """Answer with `body` and the time, or 304 when the body is what the client has already."""
    # The time is not part of the tag, or nothing would ever be unchanged.
    etag = quote_etag(hashlib.blake2b(encode(body), digest_size=12).hexdigest())
    # A proxy that packs answers says by “W/” that it did.
    known = parse_etags(request.headers.get("If-None-Match", ""))
    if etag in (one.removeprefix("W/") for one in known):
        answer: HttpResponse = HttpResponseNotModified()
    else:
        stamped = {"now": round(now.timestamp(), 1), **body}
        answer = HttpResponse(encode(stamped), content_type="application/json")
    answer["ETag"] = etag
    answer["Cache-Control"] = "no-cache, private"
    return answer
