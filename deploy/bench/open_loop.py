"""Constant-rate load: reports leave on a schedule whatever the server does.

Latency counts from the scheduled instant, so a server that pauses pays for every report that should
have left meanwhile.
"""

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

# Reports that wait for a free connection do not wait for the schedule.
CONNECTIONS = 64
STATUSES = ("approved", "approved", "approved", "approved", "denied", "failed")


@dataclass(frozen=True)
class Latencies:
    """What came of it [ms]."""

    sent: int
    broken: int
    p50: float
    p95: float
    p99: float


class _Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def post(self, body: bytes) -> bool:
        """Send a report and return whether it was accepted."""
        self._writer.write(
            b"POST /transaction HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0])
        await self._reader.readexactly(length)
        return head.startswith(b"http/1.1 200")

    def close(self) -> None:
        self._writer.close()


def _body(number: int, began: datetime) -> bytes:
    at = began - timedelta(minutes=2) + timedelta(microseconds=number)
    status = STATUSES[number % len(STATUSES)]
    text = f'{{"timestamp":"{at.isoformat()}","status":"{status}","count":{80 + number % 70}}}'
    return text.encode()


async def _run(port: int, rate: float, seconds: float) -> Latencies:
    free: asyncio.Queue[_Connection] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(_Connection(*await asyncio.open_connection("127.0.0.1", port)))
    latencies: list[float] = []
    broken = 0

    async def send(number: int, due: float) -> None:
        nonlocal broken
        connection = await free.get()
        try:
            broken += not await connection.post(_body(number, began))
        finally:
            free.put_nowait(connection)
        latencies.append(time.perf_counter() - due)

    began, first = datetime.now(UTC), time.perf_counter() + 0.1
    tasks = []
    for number in range(int(rate * seconds)):
        due = first + number / rate
        while (wait := due - time.perf_counter()) > 0:
            # Never spinning: the server works on these cores too. Being late is told as latency.
            await asyncio.sleep(wait)
        tasks.append(asyncio.create_task(send(number, due)))
    await asyncio.gather(*tasks)
    while not free.empty():
        free.get_nowait().close()
    latencies.sort()

    def percentile(share: float) -> float:
        return round(latencies[int(share * (len(latencies) - 1))] * 1e3, 2)

    return Latencies(len(latencies), broken, percentile(0.5), percentile(0.95), percentile(0.99))


def run(port: int, rate: float, seconds: float) -> Latencies:
    """Send `rate` reports a second for so long and return their latencies."""
    return asyncio.run(_run(port, rate, seconds))
