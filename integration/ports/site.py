"""What a store keeps of the site itself: its configurations, who runs with which, its feeds' last words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from integration.settings.differences import Scope

ConfigurationState = Literal["proposed", "in_force", "refused", "past"]


@dataclass(frozen=True, slots=True)
class Configuration:
    """One configuration the site was asked to run with; exactly one is in force, once there is any."""

    generation: int  # grows with each
    digest: str  # of its texts
    texts: Mapping[str, str]  # file → its text; empty once it is past or refused
    state: ConfigurationState
    reason: str | None  # why it was refused
    at: datetime  # wall; when its state began


@dataclass(frozen=True, slots=True)
class ConfigurationNews:
    """Which generation is in force, and which is proposed; None: none is."""

    in_force: int | None
    proposed: int | None


@dataclass(frozen=True, slots=True)
class Anew:
    """How far the appointments that the configuration in force touches have been thought over again."""

    generation: int
    scope: Scope
    after_id: int  # of the last appointment that was
    since: datetime  # wall; when it came into force


@dataclass(frozen=True, slots=True)
class Process:
    """One running process as it last said of itself."""

    name: str  # unique while it runs
    role: str  # run | listen | web
    generation: int  # of the configuration it runs with
    answered: int | None  # the proposed generation it has looked at
    refusal: str | None  # why it cannot take that one; None: it can
    seen_at: datetime  # wall


@dataclass(frozen=True, slots=True)
class FeedWatch:
    """What is known of a feed that is expected to speak; all times wall."""

    name: str
    since: datetime  # silence counts from here, or from its last word
    looked_at: datetime  # when somebody last looked
    looked_up_to: int  # the newest inbox message that was there then
    last_heard: datetime | None = None
    silent_since: datetime | None = None  # set while it is silent for too long: its last word, or `since`


class ConfigurationRows(Protocol):
    """The configurations."""

    def in_force(self) -> Configuration | None:
        """The one to run with; None before the first."""

    def get(self, generation: int) -> Configuration | None:
        """One of them, None when unknown."""

    def knows(self, digest: str) -> bool:
        """Whether the same texts were ever in force."""

    def propose(self, texts: Mapping[str, str], digest: str, at: datetime) -> int:
        """Write one down to be looked at by every process; one proposed before is refused. Its generation."""

    def put_in_force(self, generation: int, scope: Scope, at: datetime) -> bool:
        """Let a proposed one take the place of the one in force; False when it is proposed no longer.

        Appointments within `scope`, and those the former one had not come to, are to be thought over again.
        """

    def refuse(self, generation: int, reason: str, at: datetime) -> None:
        """A proposed one will not be."""

    def claim_anew(self, generation: int) -> Anew | None:
        """What is left to think over, this unit's alone; None when nothing is, or another unit has it.

        None, too, unless `generation` is in force: who runs with another must not do it.
        """

    def advance(self, generation: int, after_id: int | None) -> None:
        """So far it is done; None: all of it is."""


class ProcessRows(Protocol):
    """Who runs."""

    def say(self, process: Process) -> None:
        """Write down, in the place of what it said before."""

    def seen_since(self, at: datetime) -> Sequence[Process]:
        """Those that spoke since then, by name."""

    def forget(self, names: Collection[str]) -> None:
        """They have ended."""


class FeedRows(Protocol):
    """The feeds that are expected to speak."""

    def claim(self) -> Sequence[FeedWatch] | None:
        """All of them, by name, this unit's alone; None when another unit has them."""

    def get(self, name: str) -> FeedWatch | None:
        """One, not claimed; None when nobody watches it."""

    def all(self) -> Sequence[FeedWatch]:
        """All of them, by name, not claimed."""

    def save(self, watch: FeedWatch) -> None:
        """Write it down."""

    def forget(self, name: str) -> None:
        """Nothing is expected of it any more."""

    def newest(self) -> int:
        """The id of the newest inbox message, 0 when there is none."""

    def heard_since(self, message_id: int) -> tuple[int, Mapping[str, datetime]]:
        """The newest inbox message there is, and of each channel when the newest after that one was kept."""
