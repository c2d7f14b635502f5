"""What can be set for one MLLP port."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Literal

from hl7_listener.acknowledgment import AcknowledgeMode
from hl7_listener.framing import DEFAULT_MAX_FRAME_BYTES

_MEBIBYTE = 1024 * 1024

Network = IPv4Network | IPv6Network
BatchAnswer = Literal["each", "batch"]
"""How a batch is answered: `each` message in a frame of its own, or all in one `batch` of acknowledgments."""


@dataclass(frozen=True, slots=True)
class ListenerSettings:
    """One MLLP port. It may be given others while it listens: see `MllpServer.change`."""

    channel: str
    """The feed its messages belong to."""
    host: str = "127.0.0.1"
    port: int = 2575
    """0 takes a free one."""
    acknowledge: AcknowledgeMode = "msh"
    max_frame_bytes: int = DEFAULT_MAX_FRAME_BYTES
    max_connections: int = 256
    max_unfinished_bytes: int = 64 * _MEBIBYTE
    """Of all frames of this port that have begun and not ended; beyond it, who holds most is let go."""
    allow: tuple[Network, ...] = ()
    """Who may connect; everybody when empty."""
    commit_bytes: bool = False
    """MLLP release 2: `0B 06 1C 0D` once a frame is stored, else `0B 15 1C 0D`, before the HL7 ACK."""
    batch_answer: BatchAnswer = "each"
    sequence: bool = False
    """Whether MSH-13 is heeded and MSA-4 given (the sequence number protocol)."""
    frame_limit: float = 600.0
    """Seconds a frame may take from its first byte to its last; what we make it wait does not count."""
    idle_limit: float | None = None
    """Seconds a connection may be silent."""
