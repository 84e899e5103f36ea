"""Report at a constant rate for a long time: memory has to stay flat and nothing may pile up.

    python -m deploy.bench.soak [--minutes 30] [--rate 1000]

PostgreSQL, Valkey, two web workers, all on this machine. A line a minute; ends with 1 if the web
workers grew, answers became slower than their schedule, or one was not 200.
"""

import argparse
import statistics
import sys

from deploy.bench import open_loop, stack

PORT = 8793
# How much memory may still grow after the first third, by the interpreter and caches [share].
GROWTH = 1.10
# Half a second behind its schedule, a report waits in a queue that grows.
LONGEST_P99_MS = 500.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=int, default=30)
    parser.add_argument("--rate", type=float, default=1_000, help="reports a second")
    parser.add_argument("--threads", type=int, default=32)
    options = parser.parse_args()
    memory: list[float] = []
    problems: list[str] = []
    print("| minute | reports | p50 ms | p95 ms | p99 ms | not 200 | web workers [MB] |")
    print("|---|---|---|---|---|---|---|")
    with stack.guardian(port=PORT, workers=2, threads=options.threads) as web:
        for minute in range(1, options.minutes + 1):
            seen = open_loop.run(PORT, options.rate, 60)
            sizes = stack.megabytes(web.pid)[1:]
            memory.append(sum(sizes))
            told = " ".join(f"{size:.0f}" for size in sizes)
            print(
                f"| {minute} | {seen.sent:,} | {seen.p50} | {seen.p95} | {seen.p99} "
                f"| {seen.broken} | {told} |",
                flush=True,
            )
            if seen.broken:
                problems.append(f"minute {minute}: {seen.broken} answers were not 200")
            if seen.p99 > LONGEST_P99_MS:
                problems.append(f"minute {minute}: p99 of {seen.p99} ms, reports pile up")
    third = max(1, len(memory) // 3)
    early, late = statistics.mean(memory[:third]), statistics.mean(memory[-third:])
    if late > GROWTH * early:
        problems.append(f"web workers grew from {early:.0f} to {late:.0f} MB")
    for problem in problems:
        print(f"WRONG: {problem}")
    print(f"Web workers together: {early:.0f} MB at first, {late:.0f} MB at last.")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
