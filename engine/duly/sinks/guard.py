"""The guard: which addresses a sink may connect to, so that a URL cannot be turned against the network it runs in."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# What Python's registries call global, and yet leads to a place of the local network's choosing.
_LOCAL = (
    ipaddress.IPv6Network("::/96"),  # IPv4 in the old, compatible form
    ipaddress.IPv6Network("64:ff9b:1::/48"),  # NAT64 of the local network
    ipaddress.IPv6Network("2001::/32"),  # Teredo
    ipaddress.IPv6Network("fec0::/10"),  # site-local
    ipaddress.IPv4Network("192.88.99.0/24"),  # relays of 6to4
)


class Forbidden(Exception):
    """A host none of whose addresses may be connected to."""


class Guard:
    """What may be connected to: public addresses, and the `networks` listed; everything with `allow_private`."""

    def __init__(self, *, allow_private: bool = False, networks: Iterable[str] = ()) -> None:
        """Raises ValueError for what is no network, such as `10.0.0.1/8`."""
        self.allow_private = allow_private
        self.networks: Sequence[Network] = [ipaddress.ip_network(each) for each in networks]

    def permits(self, address: Address) -> bool:
        """Whether an address may be connected to."""
        meant = embedded(address)
        if self.allow_private or any(
            each in network for each in (address, meant) for network in self.networks
        ):
            return True
        return public(meant)

    def resolve(self, host: str, port: int) -> list[str]:
        """The addresses of a host that may be connected to, to be connected to as they are: asking again may
        give others. Raises Forbidden where all are refused, OSError where the name is not known.
        """
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        allowed = [each for each in addresses if self.permits(ipaddress.ip_address(each.partition("%")[0]))]
        if not allowed:
            raise Forbidden(
                f"`{host}` is at {', '.join(addresses[:4])}, which is not a public address; to allow it, list its "
                "network under `allow_networks`, or set `allow_private: true`"
            )
        return allowed


def embedded(address: Address) -> Address:
    """The IPv4 address that an IPv6 one carries for somebody to take out, else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and address in _NAT64:
        inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return inner or address


def public(address: Address) -> bool:
    """Whether an address is one of the open internet: neither private, loopback, link-local, shared, multicast,
    unspecified nor reserved.
    """
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address.version == network.version and address in network for network in _LOCAL)
    )
