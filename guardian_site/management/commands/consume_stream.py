"""`manage.py consume_stream`: take reports from a Redis Stream or a Kafka topic, until stopped."""

import os
import signal
import socket
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from detection.services.assess import assess
from guardian_site.telemetry.worker_exposition import serve_where_asked
from ingest.streaming.consuming import Consumer, StreamAway, consume
from ingest.streaming.entries import Stream
from ingest.streaming.kafka_topic import KafkaTopic, servers_and_settings
from ingest.streaming.redis_stream import RedisStream


class Command(BaseCommand):
    help = (
        "Take reports from a stream: GUARDIAN_STREAM_URL is redis://… or kafka://host:port,host:port."
        " Run as many of these as you like; each report is counted once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--url", default=settings.GUARDIAN_STREAM_URL, help="default GUARDIAN_STREAM_URL"
        )
        parser.add_argument("--name", default=settings.GUARDIAN_STREAM_NAME, help="stream or topic")
        parser.add_argument(
            "--group", default="guardian", help="group of consumers that share the work"
        )
        parser.add_argument(
            "--member",
            default=f"{socket.gethostname()}-{os.getpid()}",
            help="name of this consumer; with the same name it resumes after a restart",
        )
        parser.add_argument(
            "--count", type=int, default=500, help="reports per commit; default 500"
        )
        parser.add_argument(
            "--stale",
            type=float,
            default=60.0,
            help="seconds until the reports of a dead member are taken over; default 60",
        )
        parser.add_argument(
            "--keep",
            action="store_true",
            help="leave in a Redis Stream what all of its groups have acknowledged; whoever sends"
            " then has to limit its length (XADD … MAXLEN)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["count"] < 1 or options["stale"] <= 0:
            raise CommandError("--count must be 1 or more, and --stale above 0.")
        try:
            serve_where_asked()
        except OSError as error:
            told = f"GUARDIAN_METRICS_PORT={settings.GUARDIAN_METRICS_PORT}: {error.strerror}."
            raise CommandError(f"{told} Choose another port, or leave it unset.") from error
        stopping: list[int] = []
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda caught, _frame: stopping.append(caught))
        try:
            stream = self._stream(options)
        except (StreamAway, ValueError) as error:
            # A ValueError is of the client of Redis, and says what is wrong with the address.
            raise CommandError(str(error)) from error
        self.stdout.write(f"Reading {options['name']} as {options['member']}; Ctrl-C stops.")
        consumer = Consumer(stream, assess)
        try:
            consume(consumer=consumer, stopping=lambda: bool(stopping), count=options["count"])
        finally:
            stream.close()
        self.stdout.write(f"{consumer.recorded:,} reports recorded, {consumer.buried:,} put aside.")

    def _stream(self, options: dict[str, Any]) -> Stream:
        url: str = options["url"] or settings.REDIS_URL
        if url.startswith("kafka://"):
            servers, more = servers_and_settings(url)
            return KafkaTopic(servers, options["name"], options["group"], **more)
        if not url:
            raise CommandError("Set GUARDIAN_STREAM_URL (or REDIS_URL), or pass --url.")
        stale = int(options["stale"] * 1000)
        who = options["name"], options["group"], options["member"]
        return RedisStream(url, *who, stale, keeps=options["keep"])
