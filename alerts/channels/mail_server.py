"""Django's way to a mail server, which also remembers for whom the server did not take a mail."""

import smtplib
from typing import Any

from django.core.mail.backends.smtp import EmailBackend

Refused = dict[str, tuple[int, bytes]]


class Mailer(EmailBackend):
    """Of several recipients a server may refuse some: nothing fails, and the others have it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.refused: Refused = {}

    @property
    def connection_class(self) -> Any:
        """Return what talks to the server, over TLS or not, and writes down whom it refuses."""
        spoken: Any = smtplib.SMTP_SSL if self.use_ssl else smtplib.SMTP
        refused = self.refused

        class Remembering(spoken):  # type: ignore[misc]  # which of the two is known here alone
            def sendmail(self, *args: Any, **kwargs: Any) -> Refused:
                found: Refused = super().sendmail(*args, **kwargs)
                refused.update(found)
                return found

        return Remembering
