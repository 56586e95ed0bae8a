"""Which addresses a collector may ask: none that leads to this machine or a private network.

The name is resolved once, every address it has is checked, and the connection goes to the address that was checked, so
that a name cannot mean one machine when we look and another when we connect.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NameResolutionError

from piperoll.errors import AddressRefused


def refused(text: str) -> bool:
    """Whether an IP address is anything but a public one: loopback, private, link-local, multicast, reserved, shared.

    An IPv6 address that carries an IPv4 one (mapped, 6to4, Teredo) is refused whatever it carries.
    """
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and (address.ipv4_mapped or address.sixtofour or address.teredo):
        return True
    return not address.is_global or address.is_multicast or address.is_reserved


def resolve(host: str, port: int) -> str:
    """The first address that a name has, once all of them are found to be public.

    Raises: AddressRefused: one of them is not; socket.gaierror: the name has none.
    """
    found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    for text in found:
        if refused(text):
            raise AddressRefused(
                f"{host} leads to {text}, which is this machine or a private network: it is not asked. "
                "If you mean it, set PIPEROLL_ALLOW_PRIVATE_ADDRESSES=true"
            )
    return found[0]


class _Checked(HTTPConnection):
    """A connection that goes to the address that was checked, whatever the name means a moment later."""

    def _new_conn(self) -> socket.socket:
        name = self._dns_host
        try:
            self._dns_host = resolve(name, self.port)
            return super()._new_conn()
        except socket.gaierror as error:
            raise NameResolutionError(name, self, error) from error
        finally:
            self._dns_host = name  # the name is what the certificate and the Host header are about


class _CheckedSecure(_Checked, HTTPSConnection):
    """The same under TLS."""


class _CheckedPool(HTTPConnectionPool):
    ConnectionCls = _Checked


class _CheckedSecurePool(HTTPSConnectionPool):
    ConnectionCls = _CheckedSecure


class PublicOnly(HTTPAdapter):
    """A transport for `requests` that connects to public addresses only."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pool of connections, of the kind that checks its address."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _CheckedPool, "https": _CheckedSecurePool}
