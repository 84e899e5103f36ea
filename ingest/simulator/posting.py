"""Posting reports to a Guardian over HTTP as a patient client would: each until it is answered."""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import httpx

logger = logging.getLogger(__name__)

ROWS_A_BATCH = 1_000
_LONGEST_PAUSE = 10.0
# Shorter pauses are not logged as warnings: the server may only be starting [s].
_TOLD_PAUSE = 4.0
_TRY_AGAIN = frozenset({429, 502, 503, 504})

# (source name, time, status, auth_code, count)
SentReport = tuple[str, datetime, str, str, int]


class Poster:
    """One connection to a Guardian; a report is sent until it is answered."""

    def __init__(
        self,
        url: str,
        secret: str = "",
        *,
        transport: httpx.BaseTransport | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        headers = {"X-API-Key": secret} if secret else {}
        self._client = httpx.Client(
            base_url=url.rstrip("/"), headers=headers, timeout=30, transport=transport
        )
        self._pause = pause

    def post_batch(self, reports: Sequence[SentReport]) -> int:
        """Send whole minutes in batches; return how many requests it took."""
        starts = range(0, len(reports), ROWS_A_BATCH)
        for start in starts:
            rows = [_body(report) for report in reports[start : start + ROWS_A_BATCH]]
            self._post("/transactions/batch", {"transactions": rows})
        return len(starts)

    def post_each(self, reports: Sequence[SentReport]) -> int:
        """Send parts of a minute, each report by itself; return how many requests it took."""
        for report in reports:
            self._post("/transaction", _body(report))
        return len(reports)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def _post(self, path: str, body: dict[str, Any]) -> None:
        wait = 0.5
        while True:
            told_as = logging.WARNING if wait >= _TOLD_PAUSE else logging.DEBUG
            seconds = self._attempt(path, body, told_as)
            if seconds is None:
                return
            self._pause(max(seconds, wait))
            wait = min(2 * wait, _LONGEST_PAUSE)

    def _attempt(self, path: str, body: dict[str, Any], told_as: int) -> float | None:
        """Return None once answered, else how long to wait before the next attempt."""
        try:
            response = self._client.post(path, json=body)
        except httpx.TransportError as error:
            logger.log(told_as, "%s: %s; trying again.", self._client.base_url, error)
            return 0.0
        if response.status_code == 401 and "X-API-Key" in self._client.headers:
            # A key of this database means nothing to a server with another one.
            del self._client.headers["X-API-Key"]
            return 0.0
        if response.status_code in _TRY_AGAIN:
            after = response.headers.get("Retry-After", "")
            return float(after) if after.isdigit() else 0.0
        response.raise_for_status()
        return None


def _body(report: SentReport) -> dict[str, Any]:
    source, at, status, code, count = report
    return {
        "source": source,
        "timestamp": at.isoformat(),
        "status": status,
        "auth_code": code,
        "count": count,
    }
