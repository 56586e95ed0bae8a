"""Webhooks get signed JSON once, on public machines only, and what is not certain is said."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest

from portal.webhooks import WebhookNotTaken, post_webhook
from tests.fixtures.http_server import LocalServer, QuietHandler
from tests.fixtures.waiting import PATIENCE_SECONDS


class Receiver(LocalServer):
    """A webhook: `status` is what it answers, `silent` that it never does."""

    status, silent = 204, False

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        super().__init__(_Hook)


class _Hook(QuietHandler):
    server: Receiver

    def do_POST(self) -> None:  # noqa: N802
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((dict(self.headers), content))
        if self.server.silent:
            self.connection.settimeout(PATIENCE_SECONDS)
            while self.connection.recv(1):
                pass
            return
        self.answer(self.server.status, Location="http://169.254.169.254/latest/")


def post(address: str, *, allow_private: bool = True, seconds: float = PATIENCE_SECONDS) -> None:
    post_webhook(address, b'{"a": 1}', "s" * 32, "m-1", allow_private=allow_private, seconds=seconds)


def test_a_webhook_gets_signed_json() -> None:
    with Receiver() as receiver:
        post(f"http://127.0.0.1:{receiver.server_port}/duties?key=1")
    ((headers, content),) = receiver.got
    when, digest = (part.partition("=")[2] for part in headers["Piperoll-Signature"].split(","))
    wanted = hmac.new(b"s" * 32, f"{when}.".encode() + content, hashlib.sha256).hexdigest()
    assert digest == wanted
    assert headers["Piperoll-Delivery"] == "m-1"
    assert json.loads(content) == {"a": 1}


def test_a_webhook_on_a_private_network_is_refused_unless_it_is_allowed() -> None:
    with Receiver() as receiver:
        for address in (f"https://127.0.0.1:{receiver.server_port}/", f"https://localhost:{receiver.server_port}/"):
            with pytest.raises(WebhookNotTaken, match="private network") as refused:
                post(address, allow_private=False)
            assert not {"127.0.0.1", "localhost"} & set(str(refused.value).split())  # it is kept in the log
        with pytest.raises(WebhookNotTaken, match="https://"):
            post(f"http://127.0.0.1:{receiver.server_port}/", allow_private=False)
    assert receiver.got == []


def test_a_webhook_that_redirects_fails_or_does_not_answer_is_not_taken_as_sent() -> None:
    with Receiver() as receiver:
        address = f"http://127.0.0.1:{receiver.server_port}/"
        for status, uncertain in ((302, False), (500, False), (504, True)):
            receiver.status = status
            with pytest.raises(WebhookNotTaken, match=str(status)) as refused:
                post(address)
            assert refused.value.uncertain is uncertain
        receiver.silent = True
        with pytest.raises(WebhookNotTaken, match="did not answer") as silent:
            post(address, seconds=0.5)
        assert silent.value.uncertain
    assert len(receiver.got) == 4
    with pytest.raises(WebhookNotTaken) as closed:
        post(address)
    assert not closed.value.uncertain
