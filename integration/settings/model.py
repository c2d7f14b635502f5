"""What can be set, as frozen types; `config/` is read into these and nothing else.

Times of day are local to the practice; durations are timedeltas; money is in
the practice's currency.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

from fhir_mappers.translation import ConsentField, FeedFacts, FhirFacts
from integration.domain.cost import Costs
from integration.domain.law import Jurisdiction
from integration.domain.staff_task import TaskRules

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal
    from pathlib import Path
    from zoneinfo import ZoneInfo

    from fhir_mappers.profile import VendorProfile
    from integration.domain.appointment import Appointment
    from integration.domain.consent import ConsentPolicy
    from integration.domain.failure import Failure
    from integration.domain.office_hours import OfficeHours
    from integration.domain.plan_rules import PlanRules
    from integration.domain.wording import Catalog


@dataclass(frozen=True, slots=True)
class FeedLocation:
    """A place as the feed names it, and what it means to us."""

    practice: str  # file name of the practice
    zone: ZoneInfo | None = None  # None: the feed's
    place: str = ""  # the public name patients know it by; the code itself unless set
    sensitive: bool = False  # no texts unless the practice says so


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files by which a partner is known, and by which we are."""

    ca: Path | None  # None: the authorities this machine trusts
    certificate: Path | None  # ours, None: we show none
    key: Path | None


@dataclass(frozen=True, slots=True)
class ApplicationAcknowledging:
    """Where a feed's sender hears what became of its messages."""

    host: str
    port: int
    answer: Literal["accept", "commit", "none"]  # what it answers
    timeout: timedelta  # for the connection, and again for its answer
    give_up_after: timedelta
    tls: TlsFiles | None  # None: in the clear


@dataclass(frozen=True, slots=True)
class Mllp:
    """How a feed's port behaves; what each key means is in `hl7_listener.settings`."""

    allow: tuple[str, ...] = ()  # networks
    certificate: Path | None = None  # None: in the clear
    key: Path | None = None
    clients_ca: Path | None = None
    commit_bytes: bool = False
    batch_answer: Literal["each", "batch"] = "each"
    sequence: bool = False
    frame_limit: timedelta = timedelta(minutes=10)
    idle_limit: timedelta | None = None
    max_connections: int = 256
    max_unfinished_bytes: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class FhirHearing:
    """How a feed hears the EHR's FHIR server; what each key means is in `schema_ehr.FhirSection`."""

    role: Literal["create", "reconcile"] = "create"
    poll: timedelta | None = None
    poll_by: Literal["auto", "date", "location"] = "auto"
    horizon: timedelta = timedelta(days=90)
    subscribe: Literal["auto", "topic", "classic"] = "auto"
    topics: tuple[str, ...] = ()
    payload: Literal["id-only", "empty", "full-resource"] = "id-only"
    heartbeat: timedelta = timedelta(minutes=5)
    accepted_confirms: bool = True
    text_requests: bool = True
    guardians: tuple[str, ...] = ()
    identity: Mapping[str, str] = field(default_factory=dict)  # identifier system → HL7 path


@dataclass(frozen=True, slots=True)
class Feed:
    """One inbound channel: `config/feeds/<name>.toml`."""

    name: str
    vendor: VendorProfile
    scope: str  # feeds that share it speak of the same appointments
    zone: ZoneInfo
    region: str  # of phone numbers without a country, ISO 3166 two-letter
    charset: str | None  # HL7 table 0211; None: as the message declares
    acknowledge: Literal["msh", "always_aa"]
    state: Literal["shadow", "live"]  # shadow: all is planned and shown, nothing sent
    port: int | None  # None: APPOINTMENT_TEXTS_MLLP_PORT
    processing_id: str  # MSH-11 it must carry in live mode
    oldest_event: timedelta  # an event older than this causes no text about itself
    clock_tolerance: timedelta  # how far its MSH-7 may run ahead of us
    identity: tuple[str, ...]  # paths of appointment identifiers, best first; empty: the vendor's
    identifier_systems: Mapping[str, str]  # assigning authority → FHIR identifier system
    locations: Mapping[str, FeedLocation]  # by the code at AIL-3, PV1-3 or MSH-4
    max_message_bytes: int
    mllp: Mllp = field(default_factory=Mllp)
    application_acknowledgment: ApplicationAcknowledging | None = None
    requests: bool = False  # scheduling requests (SRM) stand for what they ask
    expected_silence: timedelta | None = None  # longer without a message is an alert (wall)
    hold_when_silent: bool = False  # then its reminders wait
    fhir: FhirHearing | None = None  # None: HL7 v2 over MLLP
    consent: ConsentField | None = None  # where its messages say whether a patient agrees to texts

    def is_sensitive(self, practice: str | None, place: str) -> bool:
        """Whether any place of that practice and public name is; one without a name may be any of them."""
        return any(
            at.sensitive for at in self.locations.values() if (at.practice, at.place) == (practice, place)
        )

    @property
    def facts(self) -> FeedFacts:
        """What the mapper must know of this feed."""
        return FeedFacts(
            name=self.name,
            scope=self.scope,
            zone=self.zone,
            region=self.region,
            charset=self.charset,
            identity=self.identity,
            requests=self.requests,
            identifier_systems=self.identifier_systems,
            location_zones={
                code: place.zone for code, place in self.locations.items() if place.zone is not None
            },
            fhir=None
            if self.fhir is None
            else FhirFacts(
                oldest_event=self.oldest_event,
                accepted_confirms=self.fhir.accepted_confirms,
                guardians=self.fhir.guardians,
                identity=self.fhir.identity,
            ),
            consent=self.consent,
        )


@dataclass(frozen=True, slots=True)
class Caps:
    """The most a number gets, over all patients (47 CFR 64.1200(a)(9)(iv)(F))."""

    per_day: int = 1
    per_week: int = 3


@dataclass(frozen=True, slots=True)
class Practice:
    """One practice: `config/practices/<name>.toml`."""

    name: str
    sms: bool
    public_name: str  # as patients know it
    phone: str  # as patients dial it
    languages: tuple[str, ...]  # the first is the default
    plan: PlanRules
    consent: ConsentPolicy
    caps: Caps
    serves_unclaimed: bool  # takes locations nobody claims; heeded in test mode only
    sensitive_texts: bool  # whether sensitive locations may be texted about
    first_names: bool  # name the patient even when alone on a number
    max_segments: int
    texts_per_hour: int  # its breaker
    cancellations_per_hour: int  # more is a mass change and waits for a person
    emergency: str  # the number for emergencies, such as 911
    price_per_segment: Decimal | None
    currency: str
    office: OfficeHours | None = None  # None: somebody always answers the phone, as far as we know
    cancel_until: timedelta | None = None  # before the visit: later wishes are told to call
    tasks: TaskRules = field(default_factory=TaskRules)
    costs: Costs = field(default_factory=Costs)
    opt_in_text: bool = False  # one text confirms a yes that is heard
    free_text_segments: int | None = None  # of texts that people ask for; None: max_segments
    refuse_flagged_words: bool = False  # clinical or financial words of theirs are refused, not only flagged
    sender: str | None = None  # its own number, short code or messaging service; None: the site's
    name_may_tell: bool = False  # its public name may hold clinical words
    jurisdiction: Jurisdiction = Jurisdiction.US  # whose law it texts under


@dataclass(frozen=True, slots=True)
class Sending:
    """How texts are offered and looked after."""

    threads: int
    offer_deadline: timedelta  # an offer without an outcome by then is uncertain
    uncertain_looks: tuple[timedelta, ...]  # after the offer; at least two, the provider's list lags
    recheck_after: timedelta  # a text without final news is asked about this often
    final_after: timedelta  # `sent` without a receipt for so long is final (calendar)
    automatic_opt_outs_per_hour: int  # more is the provider's fault, not the patients' wish
    opt_out_covers_all_senders: bool
    segments_per_second: Mapping[str, float] = field(default_factory=dict)  # by sender; else by its kind
    lookup: bool = False  # whether the provider is asked what kind of line a number is
    lookup_again_after: timedelta = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Documents:
    """What a DocumentReference says of itself."""

    type_system: str = "http://loinc.org"
    type_code: str = "34109-9"
    type_display: str = "Note"
    author: str | None = None  # a reference
    encounter: bool = False  # the EHR takes none without


@dataclass(frozen=True, slots=True)
class Hl7Partner:
    """The EHR's own MLLP port, and what our messages' headers say."""

    host: str
    port: int
    timeout: timedelta
    tls: TlsFiles | None
    version: str  # MSH-12
    sending_application: str
    sending_facility: str
    receiving_application: str
    receiving_facility: str
    processing_id: str
    document_type: str  # TXA-2
    author: str = ""  # TXA-5, TXA-9


@dataclass(frozen=True, slots=True)
class WritingBack:
    """How texts, outcomes and answers reach the chart; each key is told in `schema_ehr.WriteBackSection`."""

    texts: Literal["auto", "communication", "communication_once", "document", "mdm", "log"] = "auto"
    answers: Literal["auto", "appointment_response", "participant", "srm", "siu", "task", "none"] = "auto"
    consent: Literal["auto", "consent", "none"] = "auto"
    tasks: Literal["auto", "task", "communication", "none"] = "auto"
    staff_group: str | None = None  # a reference
    staff_sender: str | None = None  # a reference
    skipped: bool = False
    per_second: float = 5.0
    document: Documents = field(default_factory=Documents)
    hl7: Hl7Partner | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything in `config/`."""

    mode: Literal["test", "live"]
    allowed_numbers: frozenset[str]  # in test mode with a real provider: only these are texted
    feeds: Mapping[str, Feed]
    practices: Mapping[str, Practice]
    catalogs: Mapping[str, Catalog]  # by language
    failures: Mapping[str, Failure]  # provider's error code → what it means
    sending: Sending
    vendors: Mapping[str, VendorProfile] = field(default_factory=dict)
    write_back: WritingBack = field(default_factory=WritingBack)

    def is_sensitive(self, visit: Appointment) -> bool:
        """Whether a visit is at a place that its feed calls sensitive."""
        feed = self.feeds.get(visit.feed)
        return feed is not None and feed.is_sensitive(visit.practice, visit.slot.place)

    def practice_of(self, feed: Feed, codes: tuple[str, ...]) -> tuple[str | None, FeedLocation | None]:
        """The practice that claims a location, and the location; codes are tried most specific first.

        In test mode an unclaimed location falls to the practice that serves the unclaimed.
        """
        for code in codes:
            location = feed.locations.get(code)
            if location is not None:
                return location.practice, location
        if self.mode == "test":
            for practice in self.practices.values():
                if practice.serves_unclaimed:
                    return practice.name, None
        return None, None
