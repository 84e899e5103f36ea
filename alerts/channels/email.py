"""E-mail: plain text and HTML, one thread for each incident."""

import logging
import smtplib
from collections.abc import Mapping
from contextlib import suppress
from email.mime.image import MIMEImage
from email.utils import formatdate, parseaddr
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.message import sanitize_address

from alerts.channels.base import ChannelError, Configurable, Outgoing, Receipt, setting
from alerts.channels.mail_server import Mailer
from alerts.conf import REQUEST_SECONDS
from alerts.messages import email as rendering
from alerts.models import Channel
from ingest.plain import plain

logger = logging.getLogger(__name__)
SMTP = "alerts.channels.mail_server.Mailer"
PERMANENT_FROM = 500
SECURITIES = ("", "starttls", "tls")
LAST_PORT = 65535


class Email(Configurable):
    edits = False
    needs = ("host", "from", "to")

    def check(self, channel: Channel) -> None:
        port = setting(channel, "port") or "587"
        if not (port.isascii() and port.isdigit() and 0 < int(port) <= LAST_PORT):
            raise ChannelError(f"port {port}: write a number, 1 to {LAST_PORT}", permanent=True)
        if setting(channel, "security") not in SECURITIES:
            raise ChannelError("security is starttls, tls, or left out", permanent=True)
        for name in ("from", "to"):
            for one in _people(setting(channel, name)):
                if not _is_address(one):
                    raise ChannelError(f"{name}: {one} is no e-mail address", permanent=True)

    def send(self, channel: Channel, message: Outgoing) -> Receipt:
        # What stands in the environment was not there to look at when the channel was set up.
        self.check(channel)
        mail = _compose(channel, message)
        assert isinstance(mail.connection, Mailer)
        try:
            mail.send()
        except smtplib.SMTPAuthenticationError as error:
            if error.smtp_code < PERMANENT_FROM:
                # Busy, not wrong: 454 is “temporary authentication failure” (RFC 4954).
                raise ChannelError(f"mail server: {error.smtp_code}") from error
            raise ChannelError(
                f"the mail server refuses our password: {error}", permanent=True
            ) from error
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _text in error.recipients.values()]
            permanent = bool(codes) and min(codes) >= PERMANENT_FROM
            raise ChannelError(f"recipients refused: {codes}", permanent=permanent) from error
        except smtplib.SMTPResponseException as error:
            raise ChannelError(f"mail server: {error.smtp_code}") from error
        except (OSError, UnicodeError, smtplib.SMTPException) as error:
            raise ChannelError(f"no answer: {type(error).__name__}") from error
        finally:
            # After a refused password Django leaves the connection open.
            with suppress(OSError, smtplib.SMTPException):
                mail.connection.close()
        return Receipt(mail.extra_headers["Message-ID"], _left_out(mail.connection.refused))


def _left_out(refused: Mapping[str, tuple[int, bytes]]) -> str:
    """Return with which codes some were refused while others have the mail; empty for nobody."""
    for who, (code, _text) in refused.items():
        # Here alone: whoever may read the incident need not know the addresses.
        logger.warning("The mail server does not take a mail for %s: %s", plain(who), code)
    codes = [code for code, _text in refused.values()]
    return f"some recipients refused: {codes}" if codes else ""


def _compose(channel: Channel, message: Outgoing) -> EmailMultiAlternatives:
    # The same for every try: a mailbox that gets it twice can show it once.
    name = f"<{message.key}@{urlsplit(settings.GUARDIAN_URL).hostname or 'guardian'}>"
    headers = {"Message-ID": name, "Date": formatdate(), "Auto-Submitted": "auto-generated"}
    if message.reference and message.reference != name:
        headers |= {"In-Reply-To": message.reference, "References": message.reference}
    subject, text, html = rendering.render(message)
    mail = EmailMultiAlternatives(
        subject=subject,
        body=text,
        from_email=setting(channel, "from"),
        to=_people(setting(channel, "to")),
        headers=headers,
        connection=get_connection(
            SMTP,
            host=setting(channel, "host"),
            port=int(setting(channel, "port") or 587),
            username=setting(channel, "user"),
            password=setting(channel, "password"),
            use_tls=setting(channel, "security") == "starttls",
            use_ssl=setting(channel, "security") == "tls",
            timeout=REQUEST_SECONDS,
        ),
    )
    if html:
        mail.attach_alternative(html, "text/html")
    if message.picture:
        picture = MIMEImage(message.picture, _subtype="png")
        picture.add_header("Content-ID", f"<{rendering.PICTURE}>")
        picture.add_header("Content-Disposition", "inline", filename="chart.png")
        mail.attach(picture)
    return mail


def _is_address(text: str) -> bool:
    """Tell whether Django would send to it: not to two that a semicolon divides."""
    address = parseaddr(text)[1]
    if "@" not in address or len(address.split()) > 1:
        return False
    try:
        sanitize_address(text, "utf-8")
    except ValueError:
        return False
    return True


def _people(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]
