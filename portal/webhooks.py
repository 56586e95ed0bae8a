"""Post JSON to a webhook: signed, in bounded time, and to public machines only unless the operator allows others."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import socket
import ssl
import threading
import time
from contextlib import suppress
from urllib.parse import urlsplit

from collectors.web import resolve_public
from piperoll.errors import AddressRefused, PiperollError

SIGNATURE_HEADER, DELIVERY_HEADER = "Piperoll-Signature", "Piperoll-Delivery"

_SECONDS = 20.0
"""How long a whole delivery may take: a receiver that answers byte by byte does not hold up the others."""

_GATEWAY_FAILED = (502, 504)
"""Answers of a gateway that passed the message on and got no proper answer: the receiver may have it."""


class WebhookNotTaken(PiperollError):
    """A webhook did not take a message. `uncertain` is True if it may have: the connection broke after it was sent.

    The error does not name the address.
    """

    retryable = True

    def __init__(self, message: str, *, uncertain: bool = False) -> None:
        super().__init__(message)
        self.uncertain = uncertain


def sign(secret: str, content: bytes, when: int) -> str:
    """The header: the time and the HMAC-SHA256 of `{time}.{content}`, so that an old message does not pass as new."""
    digest = hmac.new(secret.encode(), f"{when}.".encode() + content, hashlib.sha256).hexdigest()
    return f"t={when},v1={digest}"


def post_webhook(
    address: str, content: bytes, secret: str, delivery: str, *, allow_private: bool, seconds: float = _SECONDS
) -> None:
    """Post JSON and require an answer of 200 to 299. Redirects are not followed: they could lead to a private machine.

    `delivery` identifies the message, so that a receiver can tell a repetition. With `allow_private`, the address may
    be of this machine or a private network, and `http://`.
    Raises: WebhookNotTaken.
    """
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and allow_private):
        raise WebhookNotTaken("the webhook has no https:// address")
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "piperoll",
        DELIVERY_HEADER: delivery,
        SIGNATURE_HEADER: sign(secret, content, int(time.time())),
    }
    handed_over = False
    connection: http.client.HTTPConnection | None = None
    timer = threading.Timer(seconds, lambda: _cut(connection))
    timer.daemon = True
    try:
        connection = _connect(parts.scheme, parts.hostname or "", parts.port, seconds, allow_private=allow_private)
        timer.start()
        handed_over = True
        connection.request("POST", f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}", content, headers)
        status = connection.getresponse().status
    except AddressRefused:  # its message names the host, and ours is kept in the log
        raise WebhookNotTaken(
            "the webhook is on this machine or a private network: to allow that, set "
            "PIPEROLL_ALLOW_PRIVATE_ADDRESSES=true"
        ) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise WebhookNotTaken(f"the webhook did not answer: {type(error).__name__}", uncertain=handed_over) from None
    finally:
        timer.cancel()
        if connection is not None:
            connection.close()
    if not 200 <= status < 300:
        raise WebhookNotTaken(f"the webhook answered {status}", uncertain=status in _GATEWAY_FAILED)


def _connect(
    scheme: str, host: str, port: int | None, seconds: float, *, allow_private: bool
) -> http.client.HTTPConnection:
    """An open connection. The name is resolved once, so that the address that is checked is the one that is used."""
    port = port or (443 if scheme == "https" else 80)
    address = host if allow_private else resolve_public(host, port)
    raw = socket.create_connection((address, port), timeout=seconds)
    connection = http.client.HTTPConnection(host, port, timeout=seconds)
    connection.sock = ssl.create_default_context().wrap_socket(raw, server_hostname=host) if scheme == "https" else raw
    return connection


def _cut(connection: http.client.HTTPConnection | None) -> None:
    if connection is not None and (sock := connection.sock) is not None:
        with suppress(OSError):  # it has ended by itself
            sock.shutdown(socket.SHUT_RDWR)
