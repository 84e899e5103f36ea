"""The terminal that Guardian runs in: always there, needs nothing."""

import sys

from alerts.channels.base import ChannelError, Configurable, Outgoing, Receipt
from alerts.messages import console
from alerts.models import Channel


class Console(Configurable):
    edits = False

    def send(self, channel: Channel, message: Outgoing) -> Receipt:
        # Celery puts a logger in the place of stdout; people want the message, not a log line.
        stream = sys.stdout if sys.stdout is not sys.__stdout__ and _captured() else sys.__stdout__
        if stream is None:
            raise ChannelError("there is no terminal", permanent=True)
        if message.brief is not None:
            text = console.render(message.brief, colour=stream.isatty())
        else:
            text = f"· {message.title}\n{message.text}"
        stream.write(f"\n{text}\n\n")
        stream.flush()
        return Receipt()


def _captured() -> bool:
    return not type(sys.stdout).__module__.startswith("celery")
