"""Messages of a Kafka topic, read by the members of a consumer group."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ingest.streaming.consuming import StreamAway
from ingest.streaming.entries import Entry, moment_of

MISSING = "Kafka needs one more library: pip install confluent-kafka==2.16.1"
LEGAL_NAME = re.compile(r"[a-zA-Z0-9._-]{1,200}")
ILLEGAL_NAME = (
    "{name} cannot be the name of a topic of Kafka, which has up to 200 letters, digits, dots, _"
    " and -. Set GUARDIAN_STREAM_NAME."
)
ANSWER_SECONDS = 10.0
# Between two attempts at brokers that are away [ms]: its own pause is a tenth of a second, and each
# attempt writes a line.
PAUSE_MS = 2000


def servers_and_settings(address: str) -> tuple[str, dict[str, str]]:
    """Return which brokers an address names, and what it says of the way to them.

    Examples
    --------
    >>> servers_and_settings("kafka://one:9092,two:9092?security.protocol=ssl")
    ('one:9092,two:9092', {'security.protocol': 'ssl'})
    """
    parts = urlsplit(address)
    return parts.netloc, dict(parse_qsl(parts.query))


class KafkaTopic:
    """One member of a group; offsets are committed by hand, after the reports are."""

    def __init__(self, servers: str, name: str, group: str, **more: Any) -> None:
        try:
            import confluent_kafka
        except ImportError as error:
            raise StreamAway(MISSING) from error
        if not LEGAL_NAME.fullmatch(name):
            raise ValueError(ILLEGAL_NAME.format(name=name))
        self._kafka = confluent_kafka
        self._name = name
        settings = {"bootstrap.servers": servers, "reconnect.backoff.ms": PAUSE_MS, **more}
        ours = {"group.id": group, "enable.auto.commit": False, "auto.offset.reset": "earliest"}
        try:
            self._consumer = confluent_kafka.Consumer({**settings, **ours})
            self._producer = confluent_kafka.Producer(settings)
        except confluent_kafka.KafkaException as error:
            # Which one of what the address says is wrong, and never more of it.
            raise ValueError(f"GUARDIAN_STREAM_URL: {error.args[0].str()}") from error
        # partition -> first message that was read and is not acknowledged yet
        self._unacknowledged: dict[int, int] = {}
        # partition -> the message after the last that was acknowledged
        self._next: dict[int, int] = {}
        self._missed = 0
        self._consumer.subscribe([name], on_assign=self._begin_anew)

    def _begin_anew(self, _consumer: Any, _partitions: Any) -> None:
        # Others may have gone on meanwhile; each partition is read from where the group is.
        self._unacknowledged.clear()
        self._next.clear()

    def read(self, count: int, seconds: float) -> Sequence[Entry]:
        """Return the messages after the last that was read."""
        try:
            messages = self._consumer.consume(count, timeout=seconds)
        except self._kafka.KafkaException as error:
            raise StreamAway(str(error)) from error
        found = [self._entry(one) for one in messages if one.error() is None]
        begun = {}
        for entry in found:
            partition, offset = _place(entry)
            if partition not in self._unacknowledged:
                self._unacknowledged[partition] = begun[partition] = offset
        # Told after all others are noted: a rewind goes back to before them.
        for message in messages:
            self._refuse_failure(message.error())
        for partition, offset in begun.items():
            self._missed += self._skipped(partition, offset)
        return found

    def _skipped(self, partition: int, offset: int) -> int:
        """Return how many messages before this one were deleted though the group had not read them.

        Numbers may be left out for other reasons: what is compacted, marks of transactions.
        """
        place = self._kafka.TopicPartition(self._name, partition)
        try:
            if partition not in self._next:
                [known] = self._consumer.committed([place], timeout=ANSWER_SECONDS)
                self._next[partition] = known.offset if known.offset >= 0 else offset
            wanted = self._next[partition]
            if offset <= wanted:
                return 0
            low, _high = self._consumer.get_watermark_offsets(place, timeout=ANSWER_SECONDS)
        except self._kafka.KafkaException as error:
            raise StreamAway(str(error)) from error
        # Read again, it is not told again.
        self._next[partition] = offset
        return max(0, min(int(low), offset) - wanted)

    def missed(self) -> int:
        """Return how many messages were deleted unread, since it was asked last."""
        missed, self._missed = self._missed, 0
        return missed

    def _refuse_failure(self, error: Any) -> None:
        unknown = self._kafka.KafkaError.UNKNOWN_TOPIC_OR_PART
        if error is not None and error.code() != unknown and not error.retriable():
            raise StreamAway(str(error))

    def _entry(self, message: Any) -> Entry:
        _kind, milliseconds = message.timestamp()
        number = f"{message.partition()}-{message.offset()}"
        return Entry(number, message.value() or b"", moment_of(milliseconds), self._name)

    def acknowledge(self, entries: Sequence[Entry]) -> None:
        """The group goes on after these messages, whoever reads next."""
        newest: dict[int, int] = {}
        for entry in entries:
            partition, offset = _place(entry)
            newest[partition] = max(newest.get(partition, 0), offset + 1)
        offsets = [
            self._kafka.TopicPartition(self._name, partition, offset)
            for partition, offset in newest.items()
        ]
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except self._kafka.KafkaException as error:
            raise StreamAway(str(error)) from error
        self._next |= newest
        self._unacknowledged.clear()

    def rewind(self) -> None:
        """What was read but not acknowledged will be read again next."""
        # A later commit would else step over what has not been recorded.
        mine = {one.partition for one in self._consumer.assignment()}
        for partition, offset in self._unacknowledged.items():
            if partition in mine:
                self._consumer.seek(self._kafka.TopicPartition(self._name, partition, offset))
        self._unacknowledged.clear()

    def bury(self, entry: Entry, reason: str) -> None:
        """A copy of the message lies in the topic `NAME.dead`, the reason in its header."""
        headers: Any = [("reason", reason.encode()), ("id", entry.id.encode())]
        dead, refusals = f"{self._name}.dead", list[str]()

        def told(error: Any, _message: Any) -> None:
            if error is not None:
                refusals.append(error.str())

        try:
            self._producer.produce(dead, entry.body, headers=headers, on_delivery=told)
        except (BufferError, self._kafka.KafkaException) as error:
            raise StreamAway(str(error)) from error
        # What was given up, for want of such a topic or of the right to write, waits no longer.
        if self._producer.flush(ANSWER_SECONDS) or refusals:
            why = refusals[0] if refusals else "no answer"
            raise StreamAway(f"message {entry.id} could not be put aside in {dead}: {why}")

    def waiting(self) -> int | None:
        """Return the messages of its own partitions that are not acknowledged."""
        mine = self._consumer.assignment()
        try:
            if not mine:
                self._refuse_missing_topic()
                return 0
            known = self._consumer.committed(mine, timeout=ANSWER_SECONDS)
            return sum(self._behind(one) for one in known)
        except self._kafka.KafkaException as error:
            raise StreamAway(str(error)) from error

    def _refuse_missing_topic(self) -> None:
        # Without a partition of its own it asks for nothing, and would not notice.
        topic = self._consumer.list_topics(self._name, ANSWER_SECONDS).topics[self._name]
        if topic.error is not None:
            raise StreamAway(f"topic {self._name}: {topic.error.str()}")

    def _behind(self, partition: Any) -> int:
        low, high = self._consumer.get_watermark_offsets(partition, timeout=ANSWER_SECONDS)
        # Of a topic that was made anew, or that threw away what was next, all is read.
        begins = partition.offset if low <= partition.offset <= high else low
        return int(high - begins)

    def close(self) -> None:
        self._consumer.close()


def _place(entry: Entry) -> tuple[int, int]:
    partition, offset = entry.id.split("-")
    return int(partition), int(offset)
