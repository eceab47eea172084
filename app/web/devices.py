"""What a browser says it is, in two words, and the net it came from: enough to know one's own again. Never a fingerprint."""

from ipaddress import ip_address, ip_network

from fastapi import Request

from app.store.keys import Device

# The first that is named wins: Edge and Opera call themselves Chrome too, and Chrome calls itself Safari.
BROWSERS = (
    *(("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("MicroMessenger/", "WeChat")),
    *(("Chrome/", "Chrome"), ("Safari/", "Safari"), ("curl/", "curl"), ("python", "Python")),
)
SYSTEMS = (
    *(("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS X", "macOS")),
    *(("CrOS", "ChromeOS"), ("Linux", "Linux")),
)


def device_of(request: Request) -> Device:
    """The device that a request came from."""
    said = request.headers.get("user-agent", "")
    found = [next((name for mark, name in marks if mark in said), "") for marks in (BROWSERS, SYSTEMS)]
    return Device(" · ".join(filter(None, found)), _net(request.client.host if request.client else ""))


def _net(address: str) -> str:
    """The first three quarters of an IPv4 address, the first three groups of an IPv6 one."""
    try:
        known = ip_address(address)
    except ValueError:
        return ""
    return str(ip_network(f"{known}/{24 if known.version == 4 else 48}", strict=False))
