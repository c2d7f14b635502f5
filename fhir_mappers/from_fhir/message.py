"""One message of a FHIR feed while it is mapped: what it says of itself, and what was noted of it."""

from typing import TYPE_CHECKING, Any, Final

from fhir_mappers.findings import warn
from fhir_mappers.from_fhir.elements import is_tagged, part, word
from fhir_mappers.from_fhir.moments import read_instant
from fhir_mappers.from_fhir.snapshot import Snapshot
from fhir_mappers.profile import VendorProfile
from fhir_mappers.translation import Event, FeedFacts, FhirFacts, MapWarning, Refusal, Translation

if TYPE_CHECKING:
    from datetime import date, datetime

TRIGGER: Final = "FHIR"


class Message:
    """A snapshot and by what it is read; `warnings` grow while it is mapped."""

    __slots__ = (
        "control_id",
        "facts",
        "feed",
        "occurred_at",
        "processing_id",
        "profile",
        "snapshot",
        "today",
        "warnings",
    )

    def __init__(self, snapshot: Snapshot, profile: VendorProfile, feed: FeedFacts, facts: FhirFacts) -> None:
        self.snapshot = snapshot
        self.profile = profile
        self.feed = feed
        self.facts = facts
        self.warnings: list[MapWarning] = []
        meta = part(snapshot.resource, "meta")
        version = word(meta, "versionId")
        self.control_id = f"{snapshot.type}/{snapshot.id}" if snapshot.id else snapshot.type
        if version:
            self.control_id += f"/_history/{version}"
        written = word(meta, "lastUpdated")
        moment = read_instant(written, feed.zone)
        self.occurred_at: datetime | None = moment.at
        if written and moment.at is None:
            self.warn(f"{snapshot.type}.meta.lastUpdated", moment.problem)
        judged = facts.read_at or moment.at
        # The day against which periods of names and numbers are judged; None judges nothing.
        self.today: date | None = None if judged is None else judged.astimezone(feed.zone).date()
        # As MSH-11 says of a message: T for training, P for production.
        self.processing_id = "T" if is_tagged(snapshot.resource, "HTEST") else "P"
        if self.processing_id == "T":
            self.warn(f"{snapshot.type}.meta.tag", "test-data")

    def warn(self, path: str, code: str) -> None:
        """Note something that a person who runs the interface may want to know."""
        self.warnings.append(warn(path, code))

    def translation(self, event: Event, **facts: Any) -> Translation:
        """What the message becomes, with what was noted until now."""
        without: dict[str, Any] = {"appointment": None, "patients": (), "refusal": None, "sources": {}}
        return Translation(
            control_id=self.control_id,
            trigger=TRIGGER,
            event=event,
            occurred_at=self.occurred_at,
            processing_id=self.processing_id,
            warnings=tuple(self.warnings),
            **(without | facts),
        )

    def refused(self, refusal: Refusal) -> Translation:
        """Nothing comes of it, and why."""
        return self.translation("ignored", refusal=refusal)


def unreadable(refusal: Refusal) -> Translation:
    """A message of which not even the resource can be told."""
    return Translation(
        control_id="",
        trigger=TRIGGER,
        event="ignored",
        occurred_at=None,
        processing_id="P",
        appointment=None,
        patients=(),
        warnings=(),
        refusal=refusal,
        sources={},
    )
