"""Reads sample messages and counts what they say, beside what a profile makes of each."""

from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Final

from fhir_mappers.datatypes import plain
from fhir_mappers.errors import UnreadableMessage
from fhir_mappers.hl7_time import place, read_time
from fhir_mappers.learning.identity import Identities
from fhir_mappers.learning.people import People
from fhir_mappers.learning.shapes import shape
from fhir_mappers.person_facts import first_valued
from fhir_mappers.profile import VendorProfile
from fhir_mappers.segment_run import NULL
from fhir_mappers.translation import FeedFacts, Translation
from fhir_mappers.v2_message import SegmentRun, V2Message
from fhir_mappers.v2_to_fhir import translate

if TYPE_CHECKING:
    from datetime import datetime, timedelta

_RESOURCES: Final = ("RGS", "AIS", "AIG", "AIL", "AIP")
_MAY_HOLD_A_START: Final = ("SCH", "TQ1", "AIS", "AIG", "AIL", "AIP", "PV1", "PV2")
_WITHOUT_A_START: Final = frozenset({"cancelled", "noshow", "entered-in-error", "proposed", "waitlist"})


class Survey:
    """What a set of messages says. Words are counted here as they stand; `people` knows which may be told."""

    def __init__(self, profile: VendorProfile, feed: FeedFacts) -> None:
        self.profile = profile
        self.feed = feed
        self.people = People()
        self.identities = Identities((*profile.appointment.identity, "SCH-2", "SCH-1", "PV1-19"))
        self.messages = self.mapped = self.appointments = self.with_number = self.patients = 0
        self.without_start = self.beyond_ascii = self.undeclared = 0
        self.refusals: Counter[str] = Counter()
        self.warnings: Counter[str] = Counter()
        self.versions: Counter[str] = Counter()
        self.delimiters: Counter[str] = Counter()
        self.charsets: Counter[str] = Counter()
        self.processing: Counter[str] = Counter()
        self.offsets: Counter[str] = Counter()
        self.triggers: Counter[str] = Counter()
        self.unmapped_triggers: Counter[str] = Counter()
        self.statuses: Counter[tuple[str, str]] = Counter()  # word, trigger event
        self.kinds: Counter[str] = Counter()  # SCH-8
        self.starts: Counter[str] = Counter()  # path → messages
        self.disagree: Counter[tuple[str, str]] = Counter()
        self.other_starts: Counter[str] = Counter()  # times to come, in messages without a start
        self.units: Counter[str] = Counter()
        self.phone_fields: Counter[str] = Counter()
        self.phone_words: Counter[tuple[str, str]] = Counter()  # field, word
        self.languages: Counter[str] = Counter()
        self.locations: Counter[tuple[str, str]] = Counter()  # path, code
        self.authorities: Counter[tuple[str, str]] = Counter()  # CX.4, CX.5
        self.actions: Counter[tuple[str, str]] = Counter()  # segment, action code
        self.relationships: Counter[tuple[str, str]] = Counter()  # segment, word
        self.others: Counter[str] = Counter()  # NK1, GT1: messages that have one
        self.shapes: dict[str, Counter[str]] = {}  # field of a Z segment → what its values look like
        self.phones_instead: Counter[str] = Counter()  # of a Z segment, where no other number was found

    def add(self, raw: bytes) -> None:
        """Count one message. Never raises."""
        self.messages += 1
        translation = translate(raw, self.profile, self.feed)
        self.mapped += translation.refusal is None
        if translation.refusal is not None:
            self.refusals[f"{translation.refusal.code} {translation.refusal.path}"] += 1
        self.warnings.update({warning.code for warning in translation.warnings})
        try:
            message = V2Message.parse(raw, fallback_charset=self.feed.charset)
        except UnreadableMessage:
            return
        self.people.meet(message)
        self._header(message, raw, translation)
        self._patients(message, translation)
        fields = list(_z_fields(message))
        self._z_segments(fields, translation)
        if message.count("SCH"):
            self.appointments += 1
            self._appointment(message, translation)
            self.identities.add(message, [path for path, _ in fields])

    def _header(self, message: SegmentRun, raw: bytes, translation: Translation) -> None:
        self.versions[plain(message.get("MSH-12.1"))] += 1
        self.delimiters[" ".join(message.delimiters)] += 1
        declared = plain(message.get("MSH-18"))
        self.charsets[declared or "none"] += 1
        self.beyond_ascii += not raw.isascii()
        self.undeclared += not (declared or raw.isascii())
        self.processing[plain(message.get("MSH-11"))] += 1
        trigger = f"{plain(message.get('MSH-9.1'))}^{plain(message.get('MSH-9.2'))}"
        self.triggers[trigger] += 1
        refusal = translation.refusal
        unmapped = refusal is not None and refusal.code == "unsupported-trigger"
        self.unmapped_triggers[trigger] += unmapped and message.count("SCH") > 0
        offset = read_time(message.get("MSH-7")).offset
        self.offsets["none" if offset is None else written_offset(offset)] += 1

    def _patients(self, message: SegmentRun, translation: Translation) -> None:
        self.patients += len(translation.patients)
        self.with_number += sum(patient.text_to is not None for patient in translation.patients)
        language = first_valued(message, self.profile.patient.language).value
        self.languages.update([language] if language else [])
        for field in self.profile.patient.identifiers:
            for cx in message.field(field):
                if cx.get(1):
                    self.authorities[plain(cx.get(4)) or plain(cx.get(4, 2)), plain(cx.get(5))] += 1
        for source in self.profile.phones.sources:
            field = source.path.partition(".")[0]
            for xtn in message.field(field):
                if any(xtn.get(part) for part in (1, 4, 7, 12)):
                    self.phone_fields[field] += 1
                    words = {plain(xtn.get(part)) for part in (2, 3)} - {""}
                    self.phone_words.update((field, word) for word in words)
        for segment, path in (("NK1", "NK1-3.1"), ("GT1", "GT1-11.1")):
            self.others[segment] += bool(message.count(segment))
            for n in range(1, message.count(segment) + 1):
                word = plain(message.get(path.replace("-", f"[{n}]-")))
                self.relationships.update([(segment, word)] if word else [])

    def _z_segments(self, fields: list[tuple[str, str]], translation: Translation) -> None:
        lacking = bool(translation.patients) and all(p.text_to is None for p in translation.patients)
        for path, value in fields:
            looks = shape(value, self.feed.region)
            self.shapes.setdefault(path, Counter())[looks] += 1
            self.phones_instead[path] += lacking and looks == "phone"

    def _appointment(self, message: SegmentRun, translation: Translation) -> None:
        trigger = plain(message.get("MSH-9.2"))
        for path in self.profile.appointment.status:
            if word := plain(message.get(path)):
                self.statuses[word, trigger] += 1
                break
        self.kinds.update(
            filter(None, [plain(message.get(path)) for path in self.profile.appointment.kind[:1]])
        )
        self.units.update(filter(None, {plain(message.get(path)) for path in self.profile.durations.unit}))
        for path in self.profile.appointment.locations:
            if code := plain(message.get(path)):
                self.locations[path, code] += 1
        for segment in _RESOURCES:
            codes = (plain(code) for code in message.column(segment, 2))
            self.actions.update((segment, code) for code in codes if code)
        self._starts(message, translation)

    def _starts(self, message: SegmentRun, translation: Translation) -> None:
        read: dict[str, datetime] = {}
        for source in self.profile.times:
            at = place(read_time(message.get(source.start)), self.feed.zone).at
            if at is not None:
                read[source.start] = at
        self.starts.update(list(read))
        for one, other in combinations(read, 2):
            self.disagree[one, other] += read[one] != read[other]
        appointment = translation.appointment
        if appointment is not None and (appointment.start or appointment.status in _WITHOUT_A_START):
            return
        self.without_start += 1
        sent = translation.occurred_at
        for path, value in (*_fields(message, _MAY_HOLD_A_START), *_z_fields(message)):
            if shape(value, self.feed.region) == "time" and path not in read:
                at = place(read_time(value), self.feed.zone).at
                self.other_starts[path] += at is not None and (sent is None or at > sent)


def written_offset(offset: "timedelta") -> str:
    """-05:00, as people write it."""
    minutes = round(offset.total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _z_fields(message: SegmentRun) -> Iterator[tuple[str, str]]:
    """The valued leaves of every first Z segment of its name."""
    return _fields(message, sorted({name for name in message.segments if name.startswith("Z")}))


def _fields(message: SegmentRun, segments: tuple[str, ...] | list[str]) -> Iterator[tuple[str, str]]:
    """The valued components of the first segment of each name, with their paths."""
    for name in segments:
        if not message.count(name):
            continue
        row = next(row for row in message.rows if row[0][:3] == name)
        count = len(row) if len(row) > 1 else row[0].count(message.delimiters[0]) + 1
        for field in range(1, count):
            repetition = next(iter(message.field(f"{name}-{field}")), None)
            if repetition is None:
                continue
            parts = (
                message.text(f"{name}-{field}").split(message.delimiters[2])[0].split(message.delimiters[1])
            )
            for component in range(1, len(parts) + 1):
                value = repetition.get(component)
                if value and value != NULL:
                    yield (f"{name}-{field}.{component}" if len(parts) > 1 else f"{name}-{field}"), value
