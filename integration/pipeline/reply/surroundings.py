"""What is known around a reply: who may have written it, which visits are coming, what we asked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from integration.domain.automatic_reply import is_automatic
from integration.domain.consent import SuppressionKind
from integration.domain.conversation import Option, still_open
from integration.domain.reply_decision import Heard
from integration.domain.reply_intent import classify
from integration.domain.reply_pick import picked
from integration.domain.reply_text import read
from integration.domain.reply_words import Meaning
from integration.domain.text_message import OWN_WORDS, TextKind
from integration.domain.who_confirmed import under_records

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from integration.domain.appointment import Appointment
    from integration.domain.conversation import Choice, Question, Reply
    from integration.domain.recipient import Patient
    from integration.domain.reminder import Reminder
    from integration.domain.reply_intent import Understood
    from integration.domain.text_message import TextMessage
    from integration.ports.store import Unit
    from integration.ports.workshop import Workshop
    from integration.settings.model import Practice, Settings


@dataclass(frozen=True, slots=True, order=True)
class Visit:
    """A visit to come, as the number's texts and reminders know it."""

    start: datetime
    appointment_id: int
    patient_id: int


@dataclass(frozen=True, slots=True)
class Surroundings:
    """One reply and all that is known around it, read under its number's lock."""

    reply: Reply
    heard: Heard
    patients: Sequence[Patient]  # who have this number, or a guardian who has it
    appointments: Mapping[int, Appointment]
    visits: Sequence[Visit]  # to come, soonest first
    reminders: Sequence[Reminder]  # open ones of the number
    last_text: TextMessage | None
    practice: Practice | None
    silenced: frozenset[SuppressionKind]  # in force before this reply

    @property
    def only_patient(self) -> int | None:
        """The patient who surely wrote, if the number has one and our last text was for that one alone."""
        if len(self.patients) != 1 or self.last_text is None:
            return None
        texted = {subject.patient_id for subject in self.last_text.subjects}
        return self.patients[0].id if texted == {self.patients[0].id} else None


def look_around(unit: Unit, workshop: Workshop, reply: Reply) -> Surroundings:
    """Read what is known; visits asked about are locked, so that they cannot move meanwhile."""
    patients = _patients(unit, reply)
    last_text = _under_todays_records(unit, unit.replies.last_text_to(reply.number))
    reminders = unit.reminders.open_of_number(reply.number)
    asked = [question for question in unit.replies.questions(reply.number) if _was_asked(question, reply)]
    choice = _under_todays_patients(unit, unit.choices.newest(reply.number, reply.to_number, reply.heard_at))
    appointments = _appointments(unit, asked, last_text, reminders, choice)
    appointments = {each: _todays(unit, appointment) for each, appointment in appointments.items()}
    standing = [question for question in asked if not _is_overtaken(question, last_text)]
    is_open = [_is_open(question, appointments, reply.heard_at) for question in standing]
    questions = tuple(question for question, is_it in zip(standing, is_open, strict=True) if is_it)
    visits = _visits(asked, last_text, reminders, choice, appointments, heard_at=reply.heard_at)
    practice = _practice(
        workshop.settings, questions, last_text, reminders, appointments, to_number=reply.to_number
    )
    silenced = frozenset(suppression.kind for suppression in unit.numbers.suppressions(reply.number))
    heard = Heard(
        understood=_understand(workshop.settings, reply, patients, last_text, practice),
        questions=questions,
        outdated=not all(is_open),
        known=bool(patients) or last_text is not None,
        media=reply.media,
        keyword_handled=reply.keyword_handled,
        bare_cancel=_is_bare_cancel(workshop.settings, reply.body),
        opted_out=SuppressionKind.OPT_OUT in silenced,
        partial=reply.partial,
        offered=_is_offered(workshop.settings, reply.body),
        automatic=is_automatic(reply.body),
        visits=tuple(
            Option(each.appointment_id, each.patient_id, appointments[each.appointment_id].slot_number)
            for each in visits
        ),
        too_near=_too_near(workshop.settings, visits, appointments, reply.heard_at),
        choice=choice,
        picked=_picked(workshop.settings, reply.body, choice),
    )
    return Surroundings(
        reply, heard, patients, appointments, visits, reminders, last_text, practice, silenced
    )


def _patients(unit: Unit, reply: Reply) -> list[Patient]:
    """Who may be meant: whose number it is, and the children who are texted about by way of it."""
    today = reply.heard_at.date()
    known = unit.patients.with_number(reply.number)
    alive = (patient for patient in known if not patient.deceased and not patient.removed)
    return [patient for patient in alive if patient.number == reply.number or patient.is_minor(today)]


def _under_todays_records(unit: Unit, text: TextMessage | None) -> TextMessage | None:
    """The text with the patients it speaks of as they are known now: records become parts of others."""
    if text is None:
        return None
    subjects = (
        replace(subject, patient_id=unit.patients.survivor(subject.patient_id).id)
        for subject in text.subjects
    )
    return replace(text, subjects=tuple(subjects))


def _todays(unit: Unit, appointment: Appointment) -> Appointment:
    """The visit with its patients as they are known now."""
    return under_records(appointment, lambda patient_id: unit.patients.survivor(patient_id).id)


def _under_todays_patients(unit: Unit, choice: Choice | None) -> Choice | None:
    """The numbered question with its patients as they are known now."""
    if choice is None:
        return None
    options = tuple(
        replace(option, patient_id=unit.patients.survivor(option.patient_id).id) for option in choice.options
    )
    return replace(choice, options=options)


def _picked(settings: Settings, body: str, choice: Choice | None) -> tuple[Option, ...]:
    """Which visits the reply chooses; the words for it count in every language."""
    if choice is None:
        return ()
    words = [catalog.replies for catalog in settings.catalogs.values()]
    chosen = picked(body, len(choice.options), words)
    return tuple(option for place, option in enumerate(choice.options, 1) if place in chosen)


def _too_near(
    settings: Settings, visits: Sequence[Visit], appointments: Mapping[int, Appointment], heard_at: datetime
) -> frozenset[int]:
    """The visits that a text comes too late to cancel or change, by their practices' rule."""
    near = set()
    for visit in visits:
        practice = settings.practices.get(appointments[visit.appointment_id].practice or "")
        if practice is not None and practice.cancel_until is not None:
            near |= {visit.appointment_id} if visit.start - heard_at < practice.cancel_until else set()
    return frozenset(near)


def _is_offered(settings: Settings, body: str) -> bool:
    """Whether the reply is an answer that our texts offer, and nothing else."""
    words = read(body).words
    return any(words == read(label).words for each in settings.catalogs.values() for label in each.options)


def _was_asked(question: Question, reply: Reply) -> bool:
    """Whether that sender of ours had asked it, and by the hours it could still be answered, when it came."""
    return question.was_put_by(reply.to_number) and question.asked_at <= reply.heard_at < min(
        question.expires_at, question.visit_start
    )


def _is_overtaken(question: Question, last_text: TextMessage | None) -> bool:
    """Whether a person has written in their own words since: what follows answers them (decision 0041)."""
    if last_text is None or last_text.kind is not TextKind.FREE or last_text.occasion != OWN_WORDS:
        return False
    return last_text.offered_at is not None and last_text.offered_at >= question.asked_at


def _is_open(question: Question, appointments: Mapping[int, Appointment], heard_at: datetime) -> bool:
    """Whether it can be answered still: not by who was taken off the visit since."""
    appointment = appointments[question.appointment_id]
    return (
        appointment.is_expected
        and question.patient_id in appointment.patients
        and still_open(question, slot_number=appointment.slot_number, now=heard_at)
    )


def _appointments(
    unit: Unit,
    asked: Sequence[Question],
    last_text: TextMessage | None,
    reminders: Sequence[Reminder],
    choice: Choice | None,
) -> dict[int, Appointment]:
    """The visits the number may speak of; those asked about locked, in one order."""
    ids = {question.appointment_id for question in asked}
    ids |= set() if choice is None else {option.appointment_id for option in choice.options}
    mentioned = {reminder.appointment_id for reminder in reminders}
    if last_text is not None:
        mentioned |= {s.appointment_id for s in last_text.subjects if s.appointment_id is not None}
    known = {each: unit.appointments.get(each) for each in sorted(ids | mentioned)}
    for each in sorted(ids):
        locked = unit.appointments.find(known[each].scope, known[each].identifiers)
        if locked is not None and locked.id == each:
            known[each] = locked
    return known


def _visits(
    asked: Sequence[Question],
    last_text: TextMessage | None,
    reminders: Sequence[Reminder],
    choice: Choice | None,
    appointments: Mapping[int, Appointment],
    *,
    heard_at: datetime,
) -> list[Visit]:
    pairs = {(question.appointment_id, question.patient_id) for question in asked}
    pairs |= {(reminder.appointment_id, reminder.patient_id) for reminder in reminders}
    pairs |= set() if choice is None else {(each.appointment_id, each.patient_id) for each in choice.options}
    if last_text is not None:
        pairs |= {
            (s.appointment_id, s.patient_id) for s in last_text.subjects if s.appointment_id is not None
        }
    visits = []
    for appointment_id, patient_id in pairs:
        appointment = appointments[appointment_id]
        start = appointment.slot.start
        is_theirs = patient_id in appointment.patients
        if is_theirs and appointment.is_expected and start is not None and start > heard_at:
            visits.append(Visit(start, appointment_id, patient_id))
    return sorted(visits)


def _practice(
    settings: Settings,
    questions: Sequence[Question],
    last_text: TextMessage | None,
    reminders: Sequence[Reminder],
    appointments: Mapping[int, Appointment],
    *,
    to_number: str,
) -> Practice | None:
    """Whom one speaks with: of the question, the last text, the plans, our number, or the only one."""
    names = [appointments[question.appointment_id].practice for question in questions]
    names += [last_text.practice] if last_text is not None else []
    names += [reminder.practice for reminder in reminders]
    for name in names:
        if name is not None and name in settings.practices:
            return settings.practices[name]
    everyone = settings.practices.values()
    theirs = [each for each in everyone if each.sender == to_number] or list(everyone)
    return theirs[0] if len(theirs) == 1 else None


def _understand(
    settings: Settings,
    reply: Reply,
    patients: Sequence[Patient],
    last_text: TextMessage | None,
    practice: Practice | None,
) -> Understood:
    """What the reply means, read in the languages its writer may use."""
    catalogs = settings.catalogs
    languages = None
    if practice is not None:
        today = reply.heard_at.date()
        spoken = (*practice.languages, *(patient.language_on(today) for patient in patients))
        languages = [name for name in dict.fromkeys(spoken) if name is not None and name in catalogs]
    offered = catalogs.get("" if last_text is None else last_text.language)
    offered = offered or next(iter(catalogs.values()))
    return classify(
        reply.body,
        options=offered.options,
        vocabulary={name: catalog.replies for name, catalog in catalogs.items()},
        languages=languages or None,
        names=[patient.given for patient in patients],
    )


def _is_bare_cancel(settings: Settings, body: str) -> bool:
    """Whether the reply is a word that carriers take for an opt-out and patients for a cancellation."""
    words = read(body).words
    return any(
        words in catalog.replies.phrases.get(Meaning.OPT_OUT_ALONE, ())
        for catalog in settings.catalogs.values()
    )
