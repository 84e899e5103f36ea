"""How every part is, and what this installation is."""

import shutil
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from guardian_site.health import PARTS, health
from ingest import steady_clock

STATES = ("ok", "idle", "degraded", "down")


class PartStates(Collector):
    """The state of every part, as /health tells it, with its age; the disk; the version."""

    def __init__(self) -> None:
        self.parts: dict[str, dict[str, Any]] = health(steady_clock.now())["parts"]

    @property
    def database_answers(self) -> bool:
        """Whether anything else can be read from the rows."""
        return bool(self.parts["database"]["state"] != "down")

    def collect(self) -> Iterator[Metric]:
        parts = self.parts
        yield self._states(parts)
        yield self._ages(parts)
        yield from self._disk()
        build = GaugeMetricFamily(
            "guardian_site_build", "1, labelled with what runs.", labels=["version", "mode"]
        )
        build.add_metric(
            [settings.GUARDIAN_VERSION, "embedded" if settings.EMBEDDED else "full"], 1.0
        )
        yield build

    @staticmethod
    def _states(parts: dict[str, dict[str, object]]) -> Metric:
        family = GaugeMetricFamily(
            "guardian_site_part_state", "1 for the state a part is in.", labels=["part", "state"]
        )
        for part in PARTS:
            for state in STATES:
                family.add_metric([part, state], float(parts[part]["state"] == state))
        return family

    @staticmethod
    def _ages(parts: dict[str, dict[str, object]]) -> Metric:
        family = GaugeMetricFamily(
            "guardian_site_part_age_seconds",
            "Age of the newest sign of life, of the oldest thing that waits, or of the model.",
            labels=["part"],
        )
        for part in PARTS:
            age = parts[part]["age_seconds"]
            # A part that was never seen has no age: its state says so, and 0 would be a lie.
            if isinstance(age, int | float):
                family.add_metric([part], float(age))
        return family

    @staticmethod
    def _disk() -> Iterator[Metric]:
        # Unknown is left out: another disk's free space would be a lie.
        if settings.GUARDIAN_DISK_PATH is None:
            return
        try:
            disk = shutil.disk_usage(settings.GUARDIAN_DISK_PATH)
        except OSError:
            return
        text = "of the disk that holds what is kept."
        yield GaugeMetricFamily("guardian_site_disk_free_bytes", f"Free {text}", value=disk.free)
        yield GaugeMetricFamily("guardian_site_disk_size_bytes", f"Size {text}", value=disk.total)
