"""Which network addresses we may ever connect to: rule T03's "non-global is refused, in every family".

Pure: takes text, answers yes or why not. Never resolves and never connects; `egress` does both, once.
"""

import ipaddress
import re
from typing import NamedTuple
from urllib.parse import urlsplit

HTTP_PORTS = frozenset({80, 443})
SMTP_PORTS = frozenset({25, 465, 587, 2525})
LONGEST_URL = 2048
LOCAL_NAMES = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "home.arpa", "onion", "arpa")
HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))+")
NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*")
# Global on paper, but inside somebody's cloud: Azure's wire server, and the anycast relay of 6to4.
NEVER = tuple(ipaddress.ip_network(net) for net in ("168.63.129.16/32", "192.88.99.0/24", "192.0.0.0/24"))
# The only IPv6 space that is routed, less the parts that carry an IPv4 address inside (Teredo, 6to4): what those would
# reach is decided by somebody else's gateway.
ROUTED = ipaddress.ip_network("2000::/3")
CARRIERS = tuple(ipaddress.ip_network(net) for net in ("2001::/23", "2002::/16", "2001:db8::/32", "3fff::/20"))


class NotAllowed(ValueError):
    """We do not connect there; the text says why without repeating credentials."""


class Target(NamedTuple):
    """Where a request goes: `host` as TLS and the Host header name it, in ASCII."""

    secure: bool
    host: str
    port: int
    path: str


def target(url: str, allow: frozenset[str]) -> Target:
    """The parts of an address we accept, or `NotAllowed`. `allow` holds `host:port` that may be plain, odd or local."""
    if len(url) > LONGEST_URL or not url.isprintable() or any(mark in url for mark in ' \\"<>^`{|}'):
        raise NotAllowed("the address holds characters that no address has")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise NotAllowed("the address cannot be read") from error
    if parts.scheme not in ("https", "http"):
        raise NotAllowed("only https addresses are allowed")
    if "@" in parts.netloc:
        raise NotAllowed("the address must not hold a user name")
    secure = parts.scheme == "https"
    host = _ascii(parts.hostname or "")
    port = port if port is not None else 443 if secure else 80
    if f"{host}:{port}" not in allow:
        if not secure:
            raise NotAllowed("only https addresses are allowed")
        check_host(host, port, HTTP_PORTS)
    path = parts.path or "/"
    return Target(secure, host, port, f"{path}?{parts.query}" if parts.query else path)


def _ascii(host: str) -> str:
    """The host in small ASCII letters. Digits and dots of other scripts are refused, not mapped onto ours."""
    if host.isascii():
        return host.lower()
    if any(character.isnumeric() or not character.isalnum() for character in host if not character.isascii()):
        raise NotAllowed("the host name cannot be read")
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise NotAllowed("the host name cannot be read") from error


def check_host(host: str, port: int, ports: frozenset[int]) -> None:
    """Refuse what can be refused by name, before anybody is asked about it."""
    if port not in ports:
        raise NotAllowed(f"port {port} is not allowed")
    if (literal := _literal(host)) is not None:
        check_address(literal)
        return
    labels = host.split(".")
    if not HOST.fullmatch(host) or NUMERIC.fullmatch(labels[-1]):  # 127.1, 0x7f000001, 2130706433, trailing dots
        raise NotAllowed("the host name cannot be read")
    if any(host.endswith(f".{name}") for name in LOCAL_NAMES):
        raise NotAllowed("the host is inside a private network")


def _literal(host: str) -> str | None:
    try:
        return str(ipaddress.ip_address(host))  # strict: four decimal parts without leading zeros, or IPv6
    except ValueError:
        return None


def check_address(address: str) -> None:
    """Refuse every address that is not on the public internet, whatever family it hides in."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError as error:
        raise NotAllowed("the address cannot be read") from error
    outside = not ip.is_global or ip.is_multicast or ip.is_reserved or ip.is_unspecified
    if isinstance(ip, ipaddress.IPv6Address):
        outside = outside or ip not in ROUTED or ip.scope_id is not None or any(ip in net for net in CARRIERS)
    elif any(ip in net for net in NEVER):
        outside = True
    if outside:
        raise NotAllowed("the host is inside a private network")
