"""What the tests of deliveries share: nobody but the egress client opens a connection while `connected` looks on."""

import socket
import sys
from typing import Any

import pytest

from app import egress


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every address a socket of this process was asked to connect to; only the egress client may ask (T03)."""
    asked: list[Any] = []
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        frame = sys._getframe(1)
        while frame is not None and frame.f_code.co_filename != egress.__file__:
            frame = frame.f_back
        assert frame is not None, f"somebody else connected to {address}"
        asked.append(address)
        real(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    return asked
