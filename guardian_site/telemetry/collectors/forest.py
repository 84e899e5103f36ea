"""Which forest gives the second opinion."""

from collections.abc import Iterator

from django.db import DatabaseError
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from guardian_site.telemetry.selectors import live_forest_number


class LiveForest(Collector):
    """The number of the live version; nothing while there is none. Its age is with the parts."""

    def collect(self) -> Iterator[Metric]:
        try:
            number = live_forest_number()
        except DatabaseError:
            return
        family = GaugeMetricFamily(
            "guardian_detection_forest_version", "Number of the live version of the forest."
        )
        if number is not None:
            family.add_metric([], float(number))
        yield family
