"""What /metrics reads from committed rows at each scrape: the same in every process."""

from guardian_site.telemetry.collectors.forest import LiveForest
from guardian_site.telemetry.collectors.former_names import FormerNames
from guardian_site.telemetry.collectors.part_states import PartStates
from guardian_site.telemetry.collectors.sources import Sources

__all__ = ["FormerNames", "LiveForest", "PartStates", "Sources"]
