"""How long judgements are kept."""

from ingest.timescale.policies import Kept

BANDS = Kept("detection_band", "minute", "GUARDIAN_KEEP_BANDS_DAYS")
# Every few seconds somebody asks for those that no incident has taken in, by an index that chunks
# stored by columns do not have.
ANOMALIES = Kept("detection_anomaly", "minute", "GUARDIAN_KEEP_ANOMALIES_DAYS", columnar=False)
KEPT = (BANDS, ANOMALIES)
