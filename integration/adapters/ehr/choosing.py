"""By which way each kind of fact reaches the chart, and why: what the server can do, and what the site says.

    texts      Communication ─► DocumentReference ─► HL7 MDM ─► the log
    answers    AppointmentResponse ─► participant status ─► staff work ─► nothing (SRM, SIU: by setting)
    consent    Consent ─► nothing: the note of the reply says it
    tasks      Task ─► Communication to a group of staff ─► nothing: our own list
    requests   CommunicationRequest brought to its end ─► nothing

A setting names its way; `auto` takes the first that fits. Pure: nothing is asked here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from integration.adapters.ehr.vendor import Vendor, vendor_of
from integration.domain.write_back import WriteBackKind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from integration.adapters.ehr.capabilities import Server
    from integration.settings.model import WritingBack


class Purpose(StrEnum):
    """What a way is chosen for; the settings' own words."""

    TEXTS = "texts"
    ANSWERS = "answers"
    CONSENT = "consent"
    TASKS = "tasks"
    REQUESTS = "requests"


PURPOSES: Final = {
    WriteBackKind.TEXT: Purpose.TEXTS,
    WriteBackKind.REPLY: Purpose.TEXTS,
    WriteBackKind.SKIPPED: Purpose.TEXTS,
    WriteBackKind.CONFIRMATION: Purpose.ANSWERS,
    WriteBackKind.CONSENT: Purpose.CONSENT,
    WriteBackKind.SUPPRESSION: Purpose.CONSENT,
    WriteBackKind.TASK: Purpose.TASKS,
    WriteBackKind.REQUEST: Purpose.REQUESTS,
}

# The settings' word → the module in `adapters/write_back`; "" for none. `task` among answers: see `tasks`.
NAMED: Final = {
    Purpose.TEXTS: {
        "communication": "fhir_communication",
        "communication_once": "fhir_communication",
        "document": "fhir_document",
        "mdm": "hl7_mdm",
        "log": "log_only",
    },
    Purpose.ANSWERS: {
        "appointment_response": "appointment_response",
        "participant": "participant_status",
        "srm": "hl7_answer",
        "siu": "hl7_answer",
        "none": "",
    },
    Purpose.CONSENT: {"consent": "fhir_consent", "none": ""},
    Purpose.TASKS: {"task": "fhir_task", "communication": "staff_message", "none": ""},
    Purpose.REQUESTS: {},
}
MODES: Final = {  # all that may serve a purpose, the best first
    Purpose.TEXTS: ("fhir_communication", "fhir_document", "hl7_mdm", "log_only"),
    Purpose.ANSWERS: (
        "appointment_response",
        "participant_status",
        "hl7_answer",
        "fhir_task",
        "staff_message",
    ),
    Purpose.CONSENT: ("fhir_consent",),
    Purpose.TASKS: ("fhir_task", "staff_message"),
    Purpose.REQUESTS: ("request_status",),
}
WITHOUT: Final = {  # what is so where there is no way
    Purpose.TEXTS: "no way to any chart is left",
    Purpose.ANSWERS: "the reply tells it; nothing changes the visit itself",
    Purpose.CONSENT: "the reply tells it; our own list of who wants no texts is what counts",
    Purpose.TASKS: "work for staff stays on our own list",
    Purpose.REQUESTS: "the EHR's requests for a text are not brought to their end",
}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a choice is made from."""

    server: Server | None  # None: EHR_FHIR_BASE_URL is not set
    settings: WritingBack
    modes: frozenset[str]  # those there are

    @property
    def vendor(self) -> Vendor:
        """Who made the server."""
        return Vendor.OTHER if self.server is None else vendor_of(self.server)


@dataclass(frozen=True, slots=True)
class Way:
    """How one purpose is served; sentences for an engineer."""

    purpose: Purpose
    mode: str  # "": not at all
    why: str
    cannot: tuple[str, ...] = ()  # what will not be possible, or should be known
    wishes: tuple[str, ...] = ()  # what the EHR's team could turn on


def choose(around: Surroundings, without: Collection[str] = ()) -> dict[Purpose, Way]:
    """The way of each purpose; never one of the modes in `without`, which have just refused."""
    ways = {purpose: _way(around, purpose, without) for purpose in Purpose}
    if around.settings.answers == "task":
        tasks = ways[Purpose.TASKS]
        ways[Purpose.ANSWERS] = Way(
            Purpose.ANSWERS, tasks.mode, f"the settings say as work for staff: {tasks.why}", tasks.cannot
        )
    return ways


def needs_no_server(settings: WritingBack, purpose: Purpose) -> bool:
    """Whether the settings name a way that asks nothing of the FHIR server, which may be away meanwhile."""
    return NAMED[purpose].get(getattr(settings, purpose, "auto")) in _NEED_NO_SERVER


def _way(around: Surroundings, purpose: Purpose, without: Collection[str]) -> Way:
    asked = getattr(around.settings, purpose, "auto")
    if asked in NAMED[purpose]:
        return _as_set(around, purpose, asked)
    refused = []
    for mode in MODES[purpose]:
        if mode not in around.modes or mode == "hl7_answer":
            continue
        if mode in without:
            refused.append(f"the EHR refused {WORDS[mode]}")
            continue
        trouble = _FITS[mode](around, purpose)
        if trouble is None:
            why = "; ".join([*refused, _why(mode)])
            return Way(
                purpose, mode, why, tuple(_cannot(around, mode)), tuple(_wishes(around, purpose, mode))
            )
        refused.append(trouble)
    why = "; ".join(dict.fromkeys(refused)) or "nothing here can do it"
    return Way(purpose, "", why, (WITHOUT[purpose],), tuple(_wishes(around, purpose, "")))


def _as_set(around: Surroundings, purpose: Purpose, asked: str) -> Way:
    """What the settings name, whether or not the server can."""
    mode = NAMED[purpose][asked]
    if not mode:
        return Way(purpose, "", "the settings say so", (WITHOUT[purpose],))
    why = f'the settings say {purpose} = "{asked}"'
    if mode not in around.modes or (around.server is None and mode not in _NEED_NO_SERVER):
        left = "log_only" if purpose is Purpose.TEXTS else ""
        return Way(
            purpose, left, why, ("EHR_FHIR_BASE_URL is not set: that way leads nowhere", WITHOUT[purpose])
        )
    trouble = _FITS[mode](around, purpose)
    told = (f"the setting asks for what the EHR cannot do: {trouble}",) if trouble else ()
    return Way(purpose, mode, why, (*told, *_cannot(around, mode)), tuple(_wishes(around, purpose, mode)))


WORDS: Final = {
    "fhir_communication": "Communication",
    "fhir_document": "DocumentReference",
    "hl7_mdm": "HL7 MDM",
    "hl7_answer": "HL7 SRM or SIU",
    "log_only": "nothing but our log",
    "appointment_response": "AppointmentResponse",
    "participant_status": "a change of the Appointment",
    "fhir_consent": "Consent",
    "fhir_task": "Task",
    "staff_message": "Communication to staff",
    "request_status": "an update of CommunicationRequest",
}
_NEED_NO_SERVER: Final = frozenset({"hl7_mdm", "hl7_answer", "log_only"})


def _why(mode: str) -> str:
    if mode == "log_only":
        return "so outcomes are logged, and no chart is written"
    if mode == "hl7_mdm":
        return "so documents go to the MLLP port of [write_back.hl7]"
    return f"the EHR takes {WORDS[mode]}"


# Whether a mode fits: None, or why it does not.


def _offers(resource_type: str, *interactions: str) -> Callable[[Surroundings, Purpose], str | None]:
    """Whether one of these interactions is offered."""

    def fits(around: Surroundings, purpose: Purpose) -> str | None:
        del purpose
        if around.server is None:
            return "EHR_FHIR_BASE_URL is not set"
        abilities = around.server.of(resource_type)
        if any(getattr(abilities, each) for each in interactions):
            return None
        return f"the EHR offers no {' or '.join(interactions)} of {resource_type}"

    return fits


def _communication(around: Surroundings, purpose: Purpose) -> str | None:
    if around.vendor is Vendor.EPIC:
        return "Epic's Communication is for referrals to community organizations only"
    if around.vendor is Vendor.ORACLE:
        return "Oracle's Communication is a message to staff and cannot tell of a text to a patient"
    sender = around.settings.staff_sender or ""
    if around.vendor is Vendor.CANVAS and not sender.startswith("Practitioner/"):
        return "Canvas takes a Communication between a patient and a Practitioner only: staff_sender is none"
    return _offers("Communication", "create")(around, purpose)


def _document(around: Surroundings, purpose: Purpose) -> str | None:
    if around.vendor is Vendor.EPIC and not around.settings.document.encounter:
        return (
            "Epic takes a DocumentReference only for the encounter of a visit, which few have beforehand "
            "(document.encounter = true files those that have)"
        )
    if around.vendor is Vendor.EPIC and around.settings.hl7 is not None:
        return "a DocumentReference needs an encounter, and [write_back.hl7] takes all"
    return _offers("DocumentReference", "create")(around, purpose)


def _mdm(around: Surroundings, purpose: Purpose) -> str | None:
    del purpose
    return "[write_back.hl7] is not set" if around.settings.hl7 is None else None


def _always(around: Surroundings, purpose: Purpose) -> str | None:
    del around, purpose
    return None


def _staff_work(resource_type: str) -> Callable[[Surroundings, Purpose], str | None]:
    """An answer goes as staff work only where staff work goes to the EHR."""

    def fits(around: Surroundings, purpose: Purpose) -> str | None:
        if purpose is Purpose.ANSWERS and around.settings.tasks == "none":
            return "work for staff stays here"
        if resource_type == "Communication":
            if around.settings.staff_group is None:
                return "staff_group is not set"
            if around.vendor is Vendor.EPIC:
                return "Epic's Communication is for referrals to community organizations only"
            if around.vendor is Vendor.CANVAS:
                return "Canvas shows a Communication to the patient"
        return _offers(resource_type, "create")(around, purpose)

    return fits


_FITS: Final[dict[str, Callable[[Surroundings, Purpose], str | None]]] = {
    "fhir_communication": _communication,
    "fhir_document": _document,
    "hl7_mdm": _mdm,
    "hl7_answer": _mdm,
    "log_only": _always,
    "appointment_response": _offers("AppointmentResponse", "create"),
    "participant_status": _offers("Appointment", "update", "patch"),
    "fhir_consent": _offers("Consent", "create"),
    "fhir_task": _staff_work("Task"),
    "staff_message": _staff_work("Communication"),
    "request_status": _offers("CommunicationRequest", "update"),
}
_CREATED: Final = {  # mode → the type it creates
    "fhir_communication": "Communication",
    "fhir_document": "DocumentReference",
    "appointment_response": "AppointmentResponse",
    "fhir_consent": "Consent",
    "fhir_task": "Task",
    "staff_message": "Communication",
}


def _cannot(around: Surroundings, mode: str) -> Iterator[str]:
    """What will not be possible by a way, or should be known of it."""
    created = _CREATED.get(mode)
    if created is None or around.server is None:
        return
    abilities = around.server.of(created)
    if not around.server.known:
        yield "the EHR shows no CapabilityStatement: what it can do is found out by trying"
    if mode == "fhir_communication" and around.vendor is Vendor.CANVAS:
        yield "Canvas calls every Communication completed, whatever became of the text: the note says it"
        yield "Canvas shows it in the patient's app too: the patient may see the text twice"
    if mode == "fhir_document" and around.settings.document.encounter:
        yield "a text about a visit without an encounter is not filed"
    if mode == "fhir_document" and around.vendor is Vendor.ORACLE and around.settings.document.author is None:
        yield "Oracle takes no update without document.author: each text is written once, when it is final"
    if mode in {"fhir_communication", "fhir_document"} and not abilities.update:
        yield "the EHR takes no updates: each text is written once, when its outcome is final"
    if not abilities.conditional_create and not abilities.find:
        yield (
            f"a create of {created} that nobody answered can neither be repeated safely nor looked for: "
            "a person is asked to look"
        )


# What a vendor has no API for (`reference/standards.md` 0.6, 0.7, 4.4): nobody can turn it on.
_NEVER: Final = {
    Vendor.EPIC: frozenset(
        {"Appointment", "AppointmentResponse", "Communication", "CommunicationRequest", "Consent", "Task"}
    ),
    Vendor.ORACLE: frozenset(
        {"AppointmentResponse", "Communication", "CommunicationRequest", "Consent", "Task"}
    ),
    Vendor.CANVAS: frozenset({"AppointmentResponse"}),
}
_CHANGED: Final = {  # mode → the type it changes
    "participant_status": "Appointment",
    "request_status": "CommunicationRequest",
}


def _wishes(around: Surroundings, purpose: Purpose, chosen: str) -> Iterator[str]:
    """What the EHR's team could turn on to open a better way."""
    if around.server is None or not around.server.known:
        return
    never = _NEVER.get(around.vendor, frozenset())
    for mode in MODES[purpose]:
        if mode == chosen or mode not in around.modes:
            break
        created, changed = _CREATED.get(mode), _CHANGED.get(mode)
        if created and created not in never and not around.server.of(created).create:
            yield f"create (and update) of {created}"
        elif changed and changed not in never and _FITS[mode](around, purpose):
            yield f"update of {changed}"
    created = _CREATED.get(chosen)
    if created is not None and created not in never and not around.server.of(created).update:
        yield f"update of {created}, so that later news can be told"
    if around.settings.hl7 is None and purpose is Purpose.TEXTS and chosen in {"log_only", "fhir_document"}:
        yield "an MLLP port that takes documents (MDM^T02, MDM^T06), for [write_back.hl7]"
    if not chosen and purpose is Purpose.ANSWERS:
        yield 'an MLLP port that takes SRM^S03 or SIU^S14, for [write_back.hl7] with answers = "srm" or "siu"'
