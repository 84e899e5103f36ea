"""`python -m deploy.fuzz.parsers --seconds 60 [--only report]`: readers of outsiders' bytes.

Guided by coverage, for which it needs atheris (`pip install atheris`, not among the requirements).
Each target runs in a process of its own on an empty database in memory; what breaks it is kept in a
file.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MISSING = "this needs one more library: pip install atheris"


def _one(name: str, seconds: int, folder: Path) -> None:
    """Fuzz one target until the time is over; the process ends with it."""
    try:
        import atheris
    except ImportError:
        sys.exit(MISSING)
    with atheris.instrument_imports(include=["ingest", "alerts", "guardian_site"]):
        import django

        django.setup()
        import guardian_site.urls  # noqa: F401  the views are loaded here, to be led by them, too
        from deploy.fuzz.seeds import SEEDS, WORDS
        from deploy.fuzz.targets import TARGETS
    _empty_database()
    corpus = folder / name
    corpus.mkdir()
    for number, seed in enumerate(SEEDS[name]):
        (corpus / str(number)).write_bytes(seed)
    words = folder / f"{name}.words"
    words.write_text("\n".join(f'"{_escaped(word)}"' for word in WORDS))
    arguments = [sys.argv[0], str(corpus), f"-max_total_time={seconds}", f"-dict={words}"]
    arguments += [f"-artifact_prefix={folder}/{name}-", "-max_len=4096", "-timeout=20"]
    atheris.Setup(arguments, TARGETS[name])
    atheris.Fuzz()


def _escaped(word: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word.encode("utf-8", "replace"))


def _empty_database() -> None:
    import logging

    from django.core.management import call_command
    from django.test.utils import setup_test_environment

    # The name under which Django's client asks is allowed in tests only.
    setup_test_environment()
    call_command("migrate", verbosity=0)
    from alerts.tests.makers import open_incident

    # What a click or a command is about.
    open_incident()
    logging.disable(logging.CRITICAL)


def _run(name: str, seconds: int, folder: Path) -> bool:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "guardian_site.settings_test",
        "DATABASE_URL": "sqlite://:memory:",
        "GUARDIAN_PUBLIC_READ": "on",
    }
    command = [sys.executable, "-m", "deploy.fuzz.parsers", "--seconds", str(seconds)]
    command += ["--only", name, "--within", str(folder)]
    started = time.monotonic()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if MISSING in done.stderr:
        sys.exit(MISSING)
    told = [line for line in done.stderr.splitlines() if line.startswith("#") and "DONE" in line]
    print(f"{name:<16} exit {done.returncode}  {time.monotonic() - started:4.0f} s  {_last(told)}")
    if done.returncode:
        print(done.stdout[-3000:] or done.stderr[-3000:])
        for path in folder.glob(f"{name}-*"):
            print(f"broken by {path.read_bytes()!r}")
    sys.stdout.flush()
    return done.returncode == 0


def _last(told: list[str]) -> str:
    return " ".join(told[-1].split()) if told else ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="For each target.")
    parser.add_argument("--only", default="", help="Only this target.")
    parser.add_argument("--within", default="", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.within:
        _one(asked.only, asked.seconds, Path(asked.within))
        return 0
    from deploy.fuzz.seeds import SEEDS

    with tempfile.TemporaryDirectory(prefix="guardian-fuzz-") as folder:
        names = [asked.only] if asked.only else list(SEEDS)
        held = [_run(name, asked.seconds, Path(folder)) for name in names]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
