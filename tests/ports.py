"""Ports for a program under test: free now, on this machine only."""

from __future__ import annotations

import socket
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ports:
    """One of each kind that the product opens."""

    mllp: int
    http: int
    operator: int

    @property
    def environment(self) -> dict[str, str]:
        """As the product is told of them."""
        return {
            "APPOINTMENT_TEXTS_MLLP_PORT": str(self.mllp),
            "APPOINTMENT_TEXTS_HTTP_PORT": str(self.http),
            "APPOINTMENT_TEXTS_OPERATOR_PORT": str(self.operator),
        }


def free_ports() -> Ports:
    """Three ports nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    ports = Ports(*(each.getsockname()[1] for each in sockets))
    for each in sockets:
        each.close()
    return ports
