"""The shape of what the configuration says of the EHR itself: how it is heard, and how it is written to."""

from typing import Literal, Self

from pydantic import Field, model_validator

from fhir_mappers.profile_values import HL7PathText
from integration.settings.section import Section, written
from integration.settings.values import AtLeastAMinute, Duration, PemFile, UpToAMinute


class TlsSection(Section):
    """How a partner is known, and how we are: PEM files, by their whole paths."""

    ca: PemFile | None = Field(
        None, description="who may vouch for the partner; whom this machine trusts unless set"
    )
    certificate: PemFile | None = Field(None, description="ours, where the partner asks for one")
    key: PemFile | None = Field(None, description="of our certificate, without a passphrase")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key go together")
        return self


class FhirSection(Section):
    """How a FHIR server is heard: by notifications at /fhir/subscriptions/<feed>, and by asking."""

    role: Literal["create", "reconcile"] = Field(
        "create",
        description="create: its appointments are texted about; reconcile: it only corrects what another "
        "feed of the same `scope` has told",
    )
    poll: AtLeastAMinute | None = Field(
        None,
        description="how often the EHR is asked what changed; without it only notifications are heard",
    )
    poll_by: Literal["auto", "date", "location"] = Field(
        "auto", description="how it is asked: by date alone, or location by location; as it can unless set"
    )
    horizon: Duration = written("90d", description="how far ahead its appointments are asked for")
    subscribe: Literal["auto", "topic", "classic"] = Field(
        "auto", description="which Subscription is made: by topic, or by criteria; as it can unless set"
    )
    topics: tuple[str, ...] = Field(
        (), description="canonical URLs of the SubscriptionTopics to use; those it advertises unless set"
    )
    payload: Literal["id-only", "empty", "full-resource"] = Field(
        "id-only", description="how much notifications should say; what they speak of is always read anew"
    )
    heartbeat: Duration = written(
        "5m", description="how often a topic-based Subscription should show that it lives"
    )
    accepted_confirms: bool = Field(
        True, description="whether a patient participant's `accepted` means that the patient confirmed"
    )
    text_requests: bool = Field(
        True, description="whether the EHR's CommunicationRequests for a text are heard"
    )
    guardians: tuple[str, ...] = Field(
        (),
        description="relationship codes (v3-RoleCode, table 0131) of the RelatedPersons who are texted about "
        "a child, best first; nobody is unless set",
    )
    identity: dict[str, HL7PathText] = Field(
        {},
        description="identifier system of its Appointments → where an HL7 v2 feed of the same `scope` has "
        "the same value: SCH-1, SCH-2, PV1-19",
    )


class DocumentSection(Section):
    """What a DocumentReference says of itself, where texts are filed as documents."""

    type_system: str = Field(
        "http://loinc.org", description="of its type; Epic wants one of its own note types"
    )
    type_code: str = Field("34109-9", description="of its type")
    type_display: str = Field("Note", description="of its type")
    author: str | None = Field(
        None,
        description="reference of who signs, such as Practitioner/123; without it Oracle takes no updates",
    )
    encounter: bool = Field(
        False, description="whether the EHR takes none without an encounter of the visit (Epic)"
    )


class Hl7Section(Section):
    """The EHR's own MLLP port for what we send: documents (MDM), requests (SRM) or changes (SIU)."""

    host: str = Field(min_length=1, description="name or address of the EHR's MLLP port")
    port: int = Field(ge=1, le=65535, description="that port")
    timeout: UpToAMinute = written(30, description="for the connection, and again for the acknowledgment")
    tls: TlsSection | None = Field(None, description="encrypts the connection; `tls = {}` is enough")
    version: Literal["2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.8.2"] = Field(
        "2.5.1", description="MSH-12"
    )
    sending_application: str = Field("APPOINTMENT-TEXTS", description="MSH-3")
    sending_facility: str = Field("", description="MSH-4")
    receiving_application: str = Field("", description="MSH-5")
    receiving_facility: str = Field("", description="MSH-6")
    processing_id: str = Field("P", min_length=1, max_length=3, description="MSH-11")
    document_type: str = Field("SMS", description="TXA-2, table 0270 or the EHR's own")
    author: str = Field(
        "",
        description="TXA-5, TXA-9: who stands as the author of documents, where the EHR wants one it knows",
    )


class WriteBackSection(Section):
    """How texts, outcomes and answers reach the chart; `auto` goes by the EHR's CapabilityStatement."""

    texts: Literal["auto", "communication", "communication_once", "document", "mdm", "log"] = Field(
        "auto",
        description="texts and replies: Communications brought forward, Communications once when final, "
        "DocumentReferences, HL7 MDM, or the log alone",
    )
    answers: Literal["auto", "appointment_response", "participant", "srm", "siu", "task", "none"] = Field(
        "auto",
        description="a patient's yes or no: AppointmentResponse, the Appointment's participant status, HL7 "
        "SRM or SIU by agreement, a task for staff, or nothing",
    )
    consent: Literal["auto", "consent", "none"] = Field(
        "auto", description="STOP and START: a Consent, or only what `texts` says of the reply"
    )
    tasks: Literal["auto", "task", "communication", "none"] = Field(
        "auto", description="work for staff: Task, Communication to `staff_group`, or our own list alone"
    )
    staff_group: str | None = Field(
        None,
        pattern=r"^(Group|Practitioner|CareTeam|Organization)/[A-Za-z0-9.-]{1,64}$",
        description="who gets work for staff in the EHR, such as Group/123",
    )
    staff_sender: str | None = Field(
        None,
        pattern=r"^(Practitioner|PractitionerRole|Organization|Device)/[A-Za-z0-9.-]{1,64}$",
        description="whose name stands under messages, where the EHR wants one "
        "(Oracle, Canvas: a Practitioner)",
    )
    skipped: bool = Field(
        False, description="whether a reminder that was due and became no text is written too"
    )
    per_second: float = Field(
        5.0, gt=0, le=1000, description="the most the EHR is told in a second, after an outage too"
    )
    document: DocumentSection = Field(
        default_factory=lambda: DocumentSection.model_validate({}),
        description="what a DocumentReference says of itself",
    )
    hl7: Hl7Section | None = Field(None, description="the EHR's MLLP port, for `mdm`, `srm` and `siu`")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.hl7 is None and (self.texts == "mdm" or self.answers in {"srm", "siu"}):
            raise ValueError("mdm, srm and siu need [write_back.hl7]: host and port of the EHR's MLLP port")
        if self.tasks == "communication" and self.staff_group is None:
            raise ValueError('tasks = "communication" needs staff_group: who gets the messages')
        return self
