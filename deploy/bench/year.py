"""Import a year of one source: `python -m deploy.bench.year [--database postgres|sqlite]`.

A file of 3,153,600 lines is made, one for each minute and status, and imported as a person would
with `manage.py import_counts`. The time is that of the whole command, with its check of the file.
"""

import argparse
import contextlib
import os
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from deploy.bench import stack

USUAL = {
    "approved": 180,
    "denied": 18,
    "failed": 2,
    "reversed": 1,
    "backend_reversed": 1,
    "refunded": 3,
}


def write_year(path: Path, days: int) -> int:
    """Write the counts of so many days, the last of them yesterday; return the lines."""
    begin = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    begin -= timedelta(days=days)
    random, minutes = Random(7), days * 24 * 60
    with path.open("w") as file:
        file.write("timestamp,status,count\n")
        for number in range(minutes):
            at = (begin + timedelta(minutes=number)).isoformat()
            file.writelines(
                f"{at},{status},{random.randrange(usual, 2 * usual)}\n"
                for status, usual in USUAL.items()
            )
    return minutes * len(USUAL)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["postgres", "sqlite"], default="postgres")
    parser.add_argument("--days", type=int, default=365)
    options = parser.parse_args()
    with contextlib.ExitStack() as parts:
        folder = parts.enter_context(tempfile.TemporaryDirectory(prefix="guardian-year-"))
        environment = {"GUARDIAN_DATA_DIR": folder, "GUARDIAN_WEB_WORKERS": "1"}
        if options.database == "postgres":
            environment["DATABASE_URL"] = parts.enter_context(stack.postgres())
        file = Path(folder) / "year.csv"
        lines = write_year(file, options.days)
        stack.manage(environment, "migrate", "--verbosity", "0")
        began, used = time.perf_counter(), os.times()
        print(stack.manage(environment, "import_counts", str(file)).strip())
        took, after = time.perf_counter() - began, os.times()
        own = (
            after.children_user + after.children_system - used.children_user - used.children_system
        )
        print(
            f"{options.database}: {lines:,} lines in {took:.0f} s, {lines / took:,.0f} a second; "
            f"{own:.0f} s of processor time in the command itself"
        )


if __name__ == "__main__":
    main()
