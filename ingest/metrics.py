"""What ingest tells Prometheus. Labels come from enums, never from what a sender wrote."""

from prometheus_client import Counter, Gauge, Histogram

reports = Counter(
    "guardian_ingest_reports",
    "Reports by what became of them.",
    ["outcome"],  # recorded, repeated, corrected, refused, unavailable
)
transactions = Counter(
    "guardian_ingest_transactions", "Transactions in reports that were recorded.", ["status"]
)
batch_bytes = Histogram(
    "guardian_ingest_batch_bytes",
    "Size of a request's body.",
    buckets=(128, 512, 2048, 16_384, 131_072, 1_048_576, 5_242_880),
)
shared_commit_reports = Histogram(
    "guardian_ingest_shared_commit_reports",
    "Requests that shared one commit.",
    buckets=(1, 2, 4, 8, 16, 32, 64, 128),
)
commit_seconds = Histogram(
    "guardian_ingest_commit_seconds",
    "Time to write and commit one group of reports.",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5),
)
write_retries = Counter(
    "guardian_ingest_write_retries", "Writes run again after a deadlock or a conflict."
)
unjudged = Counter("guardian_ingest_unjudged", "Reports recorded without a verdict at once.")
stream_entries = Counter(
    "guardian_ingest_stream_entries",
    "Entries read from a stream by what became of them.",
    ["outcome"],  # recorded, buried, missed
)
stream_waiting = Gauge(
    "guardian_ingest_stream_waiting_entries",
    "Entries of the stream that are not acknowledged yet, read or not.",
    multiprocess_mode="mostrecent",
)
clock_jumps = Counter(
    "guardian_ingest_clock_jumps",
    "Jumps of the host's wall clock that this process has seen.",
    ["direction"],  # ahead, back
)
