"""The shape of each configuration file: keys, what they mean, what may stand there, what holds without them.

Durations are seconds, or "45m", "12h", "5d"; times of day are local to the practice.
"""

from itertools import pairwise
from typing import Final, Literal, Self

from pydantic import Field, model_validator

from fhir_mappers.profile_values import HL7PathText
from integration.settings.schema_ehr import FhirSection, TlsSection, WriteBackSection
from integration.settings.section import Section, written
from integration.settings.values import (
    AtLeastAMinute,
    AtLeastTenMinutes,
    AtLeastTenSeconds,
    Charset,
    Duration,
    IdentifierSystem,
    Network,
    Number,
    PemFile,
    Region,
    UpToAMinute,
    Zone,
)


class SendingSection(Section):
    """How texts are offered to the provider and looked after."""

    threads: int = Field(8, ge=1, le=64, description="how many texts are offered at the same time")
    offer_deadline: Duration = written(30, description="an offer without an outcome by then is uncertain")
    uncertain_looks: tuple[Duration, ...] = written(
        (15, 60, 180),
        min_length=2,
        description="when, after an uncertain offer, the provider's list is looked through; growing",
    )
    recheck_after: Duration = written(
        "15m", description="a text without final news is asked about this often"
    )
    final_after: Duration = written(
        "24h", description="a text sent, but without a receipt, is final after so long"
    )
    automatic_opt_outs_per_hour: int = Field(
        20,
        ge=0,
        description="more opt-outs that only the carrier reports are its fault, and wait for a person",
    )
    opt_out_covers_all_senders: bool = Field(
        True, description="whether STOP to one of our numbers holds for all of them"
    )
    segments_per_second: dict[str, float] = Field(
        {},
        description="by sender, what carriers pass on; unless set 1 of a long code, 3 of a toll-free number, "
        "10 of a short code, and no limit of a messaging service and in the sandbox",
    )
    lookup: bool = Field(
        False,
        description="whether the provider is asked, before the first text to a number, what kind of line it "
        "is; landlines are not texted, and staff are asked to call. Each question costs (docs/costs.md)",
    )
    lookup_again_after: Duration = written("90d", description="a number's answer holds so long")
    settle: Duration | None = Field(
        None, description="in place of every plan's `settle`; 0 sends at once, for measurements"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        looks = self.uncertain_looks
        if any(rate <= 0 for rate in self.segments_per_second.values()):
            raise ValueError("segments_per_second must be above 0")
        if any(later <= earlier for earlier, later in pairwise(looks)):
            raise ValueError("uncertain_looks must grow, such as [15, 60, 180]")
        return self


class SettingsFile(Section):
    """`settings.toml`: what holds for the whole site."""

    mode: Literal["test", "live"] = Field(
        "test", description="test texts only this machine's sandbox or `allowed_numbers`; live texts patients"
    )
    allowed_numbers: tuple[Number, ...] = Field(
        (), description="in test mode with a real provider, only these are texted"
    )
    sending: SendingSection = Field(
        default_factory=lambda: SendingSection.model_validate({}),
        description="how texts are offered and looked after",
    )
    write_back: WriteBackSection = Field(
        default_factory=lambda: WriteBackSection.model_validate({}),
        description="how texts, outcomes and answers reach the chart",
    )


class LocationSection(Section):
    """A place as the feed names it, and what it means to us."""

    practice: str = Field(description="file name of the practice it belongs to, without .toml")
    zone: Zone | None = Field(None, description="its time zone, where it is not the feed's")
    place: str = Field("", max_length=60, description="the public name patients know it by")
    sensitive: bool = Field(
        False,
        description="no text about it unless the practice says `sensitive_texts`, and no reply word for word "
        "in the chart",
    )


class ApplicationAcknowledgmentSection(Section):
    """Where the sender hears, in enhanced mode (MSH-16), what became of its messages; off without it."""

    host: str = Field(min_length=1, description="name or address of the sender's own MLLP port")
    port: int = Field(ge=1, le=65535, description="that port")
    answer: Literal["accept", "commit", "none"] = Field(
        "accept",
        description="what comes back: an accept acknowledgment (MSH-15 = AL), an MLLP 2 commit, or nothing",
    )
    timeout: UpToAMinute = written(30, description="for the connection, and again for what comes back")
    give_up_after: Duration = written("24h", description="an older acknowledgment is not sent any more")
    tls: TlsSection | None = Field(None, description="encrypts the connection; `tls = {}` is enough")


class MllpSection(Section):
    """How the feed's port behaves: who may connect, how frames are answered, how long they may take."""

    allow: tuple[Network, ...] = Field(
        (), description="networks and addresses that may connect; everybody who can reach the port unless set"
    )
    certificate: PemFile | None = Field(
        None, description="turns TLS on: our certificate in PEM form, with those between it and its authority"
    )
    key: PemFile | None = Field(None, description="the certificate's private key, without a passphrase")
    clients_ca: PemFile | None = Field(
        None, description="who vouches for senders: then none is served without a certificate of theirs"
    )
    commit_bytes: bool = Field(
        False, description="MLLP release 2: a commit (06) or its refusal (15) before each acknowledgment"
    )
    batch_answer: Literal["each", "batch"] = Field(
        "each", description="a batch gets a frame for each message's acknowledgment, or one batch of them"
    )
    sequence: bool = Field(
        False, description="the sequence number protocol: heeds MSH-13, answers MSA-4; one sender a feed"
    )
    frame_limit: AtLeastTenSeconds = written(
        "10m", description="how long a message may take from its first to its last byte"
    )
    idle_limit: AtLeastTenMinutes | None = Field(
        None, description='closes a connection silent for so long, hours rather than seconds, such as "12h"'
    )
    max_connections: int = Field(256, ge=1, le=10_000, description="at the same time; more are closed")
    max_unfinished_bytes: int = Field(
        64 * 1024 * 1024,
        ge=1024,
        description="of all messages that have begun and not ended; beyond it the largest is cut off",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key go together")
        if self.clients_ca is not None and self.certificate is None:
            raise ValueError("clients_ca asks for TLS: it needs a certificate and a key of ours")
        return self


# Keys of a feed that say nothing of a FHIR server.
_OF_HL7: Final = (
    *("port", "mllp", "charset", "acknowledge", "requests", "application_acknowledgment", "consent"),
)


class ConsentSection(Section):
    """Where the messages say whether a patient agrees to texts; what they do not say stays as it was."""

    path: HL7PathText = Field(description="where it stands, in the patient's own segments, such as ZPI-3")
    given: tuple[str, ...] = Field(min_length=1, description="words that mean yes, in any case")
    refused: tuple[str, ...] = Field(min_length=1, description="words that mean no")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if {word.casefold() for word in self.given} & {word.casefold() for word in self.refused}:
            raise ValueError("a word stands under given and under refused")
        return self


class FeedFile(Section):
    """`feeds/<name>.toml`: one inbound channel."""

    vendor: str = Field(
        "", description="file name of the vendor profile, without .toml; needed unless the feed is `fhir`"
    )
    zone: Zone = Field(description="the clinics' time zone, for times without an offset")
    region: Region = Field(description="country of phone numbers that name none, ISO 3166")
    scope: str | None = Field(
        None,
        min_length=1,
        description="feeds that share it speak of the same appointments; the feed's own name unless set",
    )
    charset: Charset | None = Field(
        None, description="HL7 table 0211, when MSH-18 is empty; else as the bytes look"
    )
    acknowledge: Literal["msh", "always_aa"] = Field(
        "msh", description="msh answers as MSH-15 and MSH-16 ask; always_aa is for engines that know only AA"
    )
    state: Literal["shadow", "live"] = Field(
        "shadow", description="shadow plans and shows everything and sends nothing"
    )
    port: int | None = Field(
        None, ge=1, le=65535, description="its MLLP port; APPOINTMENT_TEXTS_MLLP_PORT unless set"
    )
    processing_id: str = Field(
        "P", min_length=1, max_length=3, description="MSH-11 that its messages carry in live mode"
    )
    oldest_event: Duration = written(
        "12h", description="an event older than this causes no text about itself"
    )
    clock_tolerance: Duration = written("5m", description="how far its MSH-7 may run ahead of our clock")
    identity: tuple[HL7PathText, ...] = Field(
        (), description="paths of what identifies an appointment, best first; the vendor's unless set"
    )
    identifier_systems: dict[str, IdentifierSystem] = Field(
        {}, description="assigning authority of identifiers → FHIR identifier system"
    )
    requests: bool = Field(
        False, description="whether scheduling requests (SRM) count as what they ask for: they are acted upon"
    )
    expected_silence: AtLeastAMinute | None = Field(
        None,
        description="longer without a message is an alert, a task for staff, and a figure of /metrics",
    )
    hold_when_silent: bool = Field(
        False, description="whether its reminders wait while it is silent for longer than `expected_silence`"
    )
    max_message_bytes: int = Field(
        16 * 1024 * 1024, ge=1024, description="a larger message is refused with its connection"
    )
    mllp: MllpSection = Field(
        default_factory=lambda: MllpSection.model_validate({}), description="how its port behaves"
    )
    application_acknowledgment: ApplicationAcknowledgmentSection | None = Field(
        None, description="where the sender hears what became of its messages"
    )
    consent: ConsentSection | None = Field(
        None, description="where its messages say whether a patient agrees to texts"
    )
    fhir: FhirSection | None = Field(
        None, description="hears the EHR's FHIR server (EHR_FHIR_BASE_URL) instead of HL7 v2"
    )
    locations: dict[str, LocationSection] = Field(
        {},
        description="by the code at AIL-3, PV1-3 or MSH-4, as the vendor profile orders them; of a FHIR feed "
        "by the Location's id or one of its identifiers",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.vendor and self.fhir is None:
            raise ValueError("vendor is missing: the name of a vendor profile (or [fhir], for a FHIR server)")
        of_hl7 = [key for key in _OF_HL7 if key in self.model_fields_set]
        if self.fhir is not None and of_hl7:
            raise ValueError(
                f"{', '.join(of_hl7)}: of HL7 v2 feeds alone, and this one hears FHIR; take it out, or write "
                "a second feed file for HL7 v2"
            )
        if self.hold_when_silent and self.expected_silence is None:
            raise ValueError("hold_when_silent needs expected_silence beside it")
        if self.application_acknowledgment is not None and self.acknowledge == "always_aa":
            raise ValueError(
                'application_acknowledgment follows a CA, which acknowledge = "always_aa" never gives'
            )
        return self

    @model_validator(mode="after")
    def _check_sizes(self) -> Self:
        if self.mllp.max_unfinished_bytes < self.max_message_bytes:
            raise ValueError("mllp.max_unfinished_bytes must leave room for one message of max_message_bytes")
        return self
