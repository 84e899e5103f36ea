"""Finds the benchmark harness, which lives outside this repository."""

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType

REPOSITORY = Path(__file__).resolve().parents[2]
DEFAULT = REPOSITORY.parent / "shared" / "bench" / "detection"


def load(folder: Path | None = None) -> tuple[ModuleType, ModuleType, ModuleType]:
    """Import the harness's generator, metrics and command line from its folder.

    The folder is the argument, else the environment's BENCH_DIR, else ../shared/bench/detection
    beside the repository.
    """
    generator, metrics, cli = _import(folder, "generator", "metrics", "cli")
    return generator, metrics, cli


def load_doors(folder: Path | None = None) -> tuple[ModuleType, ModuleType]:
    """Import what the harness speaks HTTP with: its clients and its runner."""
    base, runner = _import(folder, "base", "runner")
    return base, runner


def _import(folder: Path | None, *names: str) -> list[ModuleType]:
    place = folder or Path(os.environ.get("BENCH_DIR", DEFAULT))
    if not (place / "detbench").is_dir():
        raise FileNotFoundError(f"no benchmark harness in {place}: set BENCH_DIR or --bench-dir")
    if str(place) not in sys.path:
        sys.path.insert(0, str(place))
    return [importlib.import_module(f"detbench.{name}") for name in names]
