"""What the listener must know of each feed, plain enough to be told as JSON over a lifeline."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hl7_listener.server import ListenerSettings
from hl7_listener.tls import TlsFiles

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hl7_listener.acknowledgment import AcknowledgeMode
    from hl7_listener.settings import BatchAnswer
    from integration.settings.model import Feed

_USUAL = ListenerSettings("")


class Channel(NamedTuple):
    """One feed's MLLP port; the meaning of each is in `hl7_listener.settings` and `hl7_listener.tls`."""

    name: str
    port: int
    acknowledge: AcknowledgeMode = "msh"
    max_message_bytes: int = _USUAL.max_frame_bytes
    allow: tuple[str, ...] = ()
    commit_bytes: bool = False
    batch_answer: BatchAnswer = "each"
    sequence: bool = False
    frame_limit: float = _USUAL.frame_limit
    idle_limit: float | None = None
    max_connections: int = _USUAL.max_connections
    max_unfinished_bytes: int = _USUAL.max_unfinished_bytes
    certificate: str | None = None
    key: str | None = None
    clients_ca: str | None = None

    def settings(self, host: str) -> ListenerSettings:
        """As the listener takes them."""
        return ListenerSettings(
            channel=self.name,
            host=host,
            port=self.port,
            acknowledge=self.acknowledge,
            max_frame_bytes=self.max_message_bytes,
            max_connections=self.max_connections,
            max_unfinished_bytes=self.max_unfinished_bytes,
            allow=tuple(map(ip_network, self.allow)),
            commit_bytes=self.commit_bytes,
            batch_answer=self.batch_answer,
            sequence=self.sequence,
            frame_limit=self.frame_limit,
            idle_limit=self.idle_limit,
        )

    @property
    def tls(self) -> TlsFiles | None:
        """The files that secure it; None: in the clear."""
        if self.certificate is None or self.key is None:
            return None
        return TlsFiles(
            Path(self.certificate), Path(self.key), None if self.clients_ca is None else Path(self.clients_ca)
        )


def channels(feeds: Iterable[Feed], default_port: int) -> list[Channel]:
    """One channel a feed that speaks HL7 v2."""
    return [_channel(feed, default_port) for feed in feeds if feed.fhir is None]


def _channel(feed: Feed, default_port: int) -> Channel:
    mllp = feed.mllp
    return Channel(
        feed.name,
        feed.port or default_port,
        feed.acknowledge,
        feed.max_message_bytes,
        allow=mllp.allow,
        commit_bytes=mllp.commit_bytes,
        batch_answer=mllp.batch_answer,
        sequence=mllp.sequence,
        frame_limit=mllp.frame_limit.total_seconds(),
        idle_limit=None if mllp.idle_limit is None else mllp.idle_limit.total_seconds(),
        max_connections=mllp.max_connections,
        max_unfinished_bytes=mllp.max_unfinished_bytes,
        certificate=_text(mllp.certificate),
        key=_text(mllp.key),
        clients_ca=_text(mllp.clients_ca),
    )


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def told(facts: Iterable[Iterable[Any]]) -> list[Channel]:
    """Channels as JSON brought them."""
    found = (Channel(*fact) for fact in facts)
    return [channel._replace(allow=tuple(channel.allow)) for channel in found]
