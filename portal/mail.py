"""Send mail over SMTP: sign-in links and receipts, as plain text to one address."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, make_msgid
from urllib.parse import unquote, urlsplit

from piperoll.errors import PiperollError, SettingsError
from piperoll.operations.access import normalise_address
from portal.settings import MailSettings, is_loopback

_SECONDS = 20
"""How long each step of the server may take."""


class MailNotSent(PiperollError):
    """The mail server did not take a message. The error names neither the address nor the text.

    `uncertain` is True if the connection broke after the message was handed over, so that it may have been taken.
    """

    retryable = True
    uncertain = False


def send_mail(
    settings: MailSettings, to: str, subject: str, text: str, attachments: Mapping[str, bytes] | None = None
) -> None:
    """Send a message. Attachments are by name, and are JSON.

    Raises: MailNotSent: the server refuses, or `to` is not one e-mail address. SettingsError.
    """
    if normalise_address(to) is None:
        raise MailNotSent("the message was not sent: this is not an e-mail address")
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = settings.sender, to, subject
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain=settings.sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"  # so that nobody's absence notice answers
    message.set_content(text)
    for name, content in (attachments or {}).items():
        message.add_attachment(content, maintype="application", subtype="json", filename=name)
    handed_over = taken = False
    try:
        with _connect(settings) as server:
            handed_over = True
            server.send_message(message, settings.sender, [to])
            taken = True
    except OSError as error:  # those of smtplib, too
        if taken:  # what failed was QUIT
            return
        refused = isinstance(error, smtplib.SMTPException) and not isinstance(error, smtplib.SMTPServerDisconnected)
        failed = MailNotSent(f"the mail server did not take a message: {type(error).__name__}")
        failed.uncertain = handed_over and not refused
        raise failed from None


def _connect(settings: MailSettings) -> smtplib.SMTP:
    """A connection to the server, encrypted unless the server is on this machine. Raises: SettingsError."""
    try:
        parts = urlsplit(settings.server)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise SettingsError("PIPEROLL_PORTAL_SMTP is not valid: write it like smtps://user:password@mail.example:465")
    context = ssl.create_default_context()
    server: smtplib.SMTP
    if parts.scheme == "smtps":
        server = smtplib.SMTP_SSL(parts.hostname, port or 465, timeout=_SECONDS, context=context)
    else:
        server = smtplib.SMTP(parts.hostname, port or 587, timeout=_SECONDS)
    try:
        if parts.scheme == "smtp" and not is_loopback(parts.hostname):
            server.starttls(context=context)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
    except OSError:
        server.close()
        raise
    return server
