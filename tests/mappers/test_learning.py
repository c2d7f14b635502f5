"""A profile is proposed from samples: it loads, maps no less, and holds nothing of a patient."""

from __future__ import annotations

import re
import tomllib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from fhir_mappers.learning import Survey, propose, write
from fhir_mappers.learning.people import People
from fhir_mappers.learning.shapes import shape
from fhir_mappers.profile import resolve
from fhir_mappers.translation import FeedFacts
from fhir_mappers.v2_message import V2Message, split_messages
from fhir_mappers.v2_to_fhir import translate
from tests.house.files import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RAW = {"generic": tomllib.loads((ROOT / "config" / "vendors" / "generic.toml").read_text())}
GENERIC = resolve("generic", RAW)
FEED = FeedFacts("main", "main", ZoneInfo("America/New_York"))
OUR_WORDS = "".join(path.read_text() for path in (ROOT / "fhir_mappers" / "learning").glob("*.py"))
SAMPLES = ROOT.parent / "shared" / "samples" / "hl7v2"
START = datetime.fromisoformat("2027-04-01T09:00")
NAMES = ("Quillfeather", "Brambleworth", "Ostrander", "Thistlewood", "Marchbanks", "Pennyfold")
PHONES = tuple(f"617555010{number}" for number in range(6))


def orchard(
    number: int, trigger: str = "S12", status: str = "20", *, patient: int | None = None, **instead: str
) -> bytes:
    """One message of a made-up vendor: own delimiters, statuses of digits, numbers in a Z segment."""
    who = number % len(NAMES) if patient is None else patient
    start = (START + timedelta(hours=number)).strftime("%Y%m%d%H%M")
    facts = {"identity": f"AP{number}", "start": f"##30#{start}", "sch25": status, "reason": "", **instead}
    segments = [
        f"MSH*#~!@*ORCHARD*NORTH***20270301090000-0500**SIU#{trigger}*C{number}{trigger}*P*2.4",
        f"SCH*{facts['identity']}******{facts['reason']}****{facts['start']}**************{facts['sch25']}",
        f"PID*1**P{who:03}###ORCHARD#MR**{NAMES[who]}#Ada**19800102*F",
        f"ZPD*1*{PHONES[who]}*Y",
        "RGS*1*A",
        "AIL*1*A*NORTH2###NORTH",
    ]
    return "\r".join(segments).encode()


def learned(messages: Sequence[bytes]) -> tuple[str, Any, Survey]:
    """The proposed text, the profile it loads as, and the survey."""
    survey = Survey(GENERIC, FEED)
    for message in messages:
        survey.add(message)
    text = write(survey, propose(survey), extends="generic")
    return text, resolve("learned", {**RAW, "learned": tomllib.loads(text)}), survey


def mapped(messages: Sequence[bytes], profile: Any) -> int:
    return sum(translate(message, profile, FEED).refusal is None for message in messages)


def test_a_vendor_that_says_nothing_new_gets_no_line_of_its_own() -> None:
    text, profile, _ = learned(
        [orchard(n, status="Booked").replace(b"ZPD*1*", b"ZPD*1*x") for n in range(12)]
    )
    assert set(tomllib.loads(text)) == {"extends", "title"}
    assert profile.statuses == GENERIC.statuses


def test_numbers_in_a_z_segment_become_a_source() -> None:
    messages = [orchard(number) for number in range(12)]
    text, profile, survey = learned(messages)
    assert survey.with_number == 0
    assert tomllib.loads(text)["phones"]["sources"] == ["...", {"path": "ZPD-2", "kind": "unknown"}]
    assert all(translate(m, profile, FEED).patients[0].text_to is not None for m in messages)


def test_delimiters_versions_and_triggers_are_counted() -> None:
    text, _, _ = learned([orchard(1), orchard(2), orchard(2, "S15")])
    assert "# Delimiters: * # ~ ! @ 3." in text
    assert "# HL7 versions: 2.4 3." in text
    assert "# Messages: SIU^S12 2, SIU^S15 1." in text


def test_a_status_that_speaks_for_itself_is_decided_and_another_is_left_to_a_person() -> None:
    messages = [orchard(n, status="Cancelled by office") for n in range(3)]
    messages += [orchard(n, status="20") for n in range(3, 8)]
    messages += [orchard(n, "S15", status="90") for n in range(2)]
    messages += [orchard(n, "S14", status="50") for n in range(2)]
    text, profile, _ = learned(messages)
    assert tomllib.loads(text)["statuses"] == {"cancelled": ["...", "Cancelled by office"]}
    assert '# Unknown: "20" in 5 messages (S12 5; perhaps booked).' in text
    assert '# Unknown: "90" in 2 messages (S15 2; perhaps cancelled).' in text
    assert '# Unknown: "50" in 2 messages (S14 2).' in text
    assert profile.status_of["cancelled by office"] == "cancelled"


@pytest.mark.parametrize("word", ["Not confirmed", "Unconfirmed", "Uncancelled"])
def test_a_word_that_denies_is_left_to_a_person(word: str) -> None:
    text, _, _ = learned([orchard(n, status=word) for n in range(3)])
    assert "statuses" not in tomllib.loads(text)
    assert f'# Unknown: "{word}" in 3 messages' in text


def test_a_word_seen_once_is_no_code() -> None:
    text, _, _ = learned([orchard(1, status="Hip hurts badly"), *(orchard(n) for n in range(2, 6))])
    assert "Hip" not in text


def test_a_word_that_is_a_patients_is_no_code_however_often_it_stands() -> None:
    text, _, _ = learned([orchard(n, patient=0, status="Quillfeather") for n in range(5)])
    assert "Quillfeather" not in text
    assert "words are left out: seen once, or a person's" in text


def test_an_identifier_that_patients_share_comes_last() -> None:
    """Their SCH-2 is the clinic's number; SCH-1 is the appointment's."""
    messages = [orchard(n, identity=f"AP{n}*CLINIC7", reason="") for n in range(12)]
    messages = [message.replace(b"*CLINIC7******", b"*CLINIC7*****") for message in messages]
    text, profile, _ = learned(messages)
    assert tomllib.loads(text)["appointment"]["identity"] == ["SCH-1", "PV1-19", "SCH-2"]
    assert mapped(messages, profile) == 12
    assert "SCH-2: in 12 of 12 messages, 1 values; 10 of another patient than before: shared" in text


def test_an_identifier_that_counts_messages_gives_way_to_one_that_stays() -> None:
    messages = []
    for number in range(5):
        for place, trigger in enumerate(("S12", "S14", "S15")):
            counter = f"AP{number}*{number}00{place}"
            message = orchard(number, trigger, identity=counter).replace(b"******", b"*****", 1)
            messages.append(message)
    text, _, _ = learned(messages)
    assert tomllib.loads(text)["appointment"]["identity"] == ["SCH-1", "PV1-19", "SCH-2"]
    assert "another in every message" in text


def test_an_identifier_in_a_z_segment_is_found_and_more_is_mapped() -> None:
    messages = [
        orchard(n, trigger, identity="") + f"\rZAP*1*APT-{n}".encode()
        for n in range(5)
        for trigger in ("S12", "S14")
    ]
    text, profile, survey = learned(messages)
    assert survey.mapped == 0
    assert mapped(messages, profile) == 10
    assert "ZAP-2" in tomllib.loads(text)["appointment"]["identity"]


def test_a_start_in_a_z_segment_is_found() -> None:
    messages = [orchard(n, start="") + f"\rZAP*202704010{n}00".encode() for n in range(5)]
    text, profile, _ = learned(messages)
    assert tomllib.loads(text)["times"] == ["...", {"start": "ZAP-1"}]
    appointment = translate(messages[3], profile, FEED).appointment
    assert appointment is not None
    assert appointment.start == datetime.fromisoformat("2027-04-01T03:00-04:00")


def test_starts_that_disagree_are_told() -> None:
    messages = [orchard(n) + b"\rAIS*1*A*CHECK*202704020900" for n in range(4)]
    text, _, _ = learned(messages)
    assert "SCH-11.4 and AIS-4 differ in 4 messages; SCH-11.4 is taken." in text


def test_a_sender_of_another_zone_is_told() -> None:
    text, _, _ = learned([orchard(n).replace(b"-0500", b"-0800") for n in range(4)])
    assert 'America/New_York never has some of these; perhaps zone = ["America/Los_Angeles"]' in text


def test_places_are_told_for_the_feeds_file() -> None:
    text, _, _ = learned([orchard(n) for n in range(4)])
    assert '# "NORTH2" = { practice = "…" }   AIL-3 4' in text


def test_an_event_of_its_own_is_asked_about_if_it_is_of_an_appointment() -> None:
    messages = [orchard(n).replace(b"SIU#S12", b"ZSI#UPD") for n in range(3)]
    messages += [b"MSH|^~\\&|LAB|X|||20270301||ORU^R01|L1|P|2.4\rPID|1"] * 3
    text, profile, _ = learned(messages)
    assert '# "ZSI^UPD" = "S14"   in 3 messages: which event does it stand for, if any?' in text
    assert '"ORU^R01" =' not in text
    assert profile.triggers == GENERIC.triggers


def test_numbers_of_another_country_are_told() -> None:
    def british(message: bytes) -> bytes:
        return message.replace(b"*19800102*F", b"*19800102*F*****020 7946 0018")

    text, _, _ = learned([british(orchard(n)).replace(b"ZPD", b"ZZZ") for n in range(3)])
    assert "No number here is valid in region US" in text


def test_a_message_that_cannot_be_read_is_counted() -> None:
    text, _, survey = learned([b"no message", orchard(1)])
    assert (survey.messages, survey.mapped) == (2, 1)
    assert "refused: no-header MSH 1" in text


SHAPES = (
    ("(617) 555-0123", "phone"),
    ("6175550123", "phone"),
    ("202704010900", "time"),
    ("20270401090000-0500", "time"),
    ("19800102", "day"),
    ("Y", "yes or no"),
    ("42", "number"),
    ("NORTH2", "code"),
    ("please ring the bell", "text"),
)


@pytest.mark.parametrize(("value", "looks"), SHAPES)
def test_shapes(value: str, looks: str) -> None:
    assert shape(value, "US") == looks


def test_people_are_remembered_as_hashes_alone() -> None:
    people = People()
    people.meet(V2Message.parse(orchard(0)))
    assert people.codes({"Quillfeather": 9, "P000": 9, "ORCHARD": 9, "6175550100": 9}) == {"ORCHARD": 9}
    assert "Quill" not in repr(vars(people))


def people_of(message: V2Message) -> set[str]:
    """Names, numbers and days of birth, as a reader of the proposal would recognise them."""
    found = set()
    for path in ("PID-5.1", "PID-5.2", "PID-3.1", "PID-7", "PID-11.1", "PID-13.1", "PID-19", "NK1-2.1"):
        found.add(message.get(path).strip())
    # Short ones may be anything, and somebody is named like a word of ours.
    return {value for value in found if len(value) > 3 and value not in OUR_WORDS}


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the public samples are not here")
def test_of_the_public_samples_no_less_is_mapped_and_nobody_is_named() -> None:
    folders = sorted(path for path in SAMPLES.iterdir() if path.is_dir())
    assert folders
    for folder in folders:
        check(folder)


def check(folder: Path) -> None:
    messages = [m for path in sorted(folder.glob("*.hl7")) for m in split_messages(path.read_bytes())]
    text, profile, survey = learned(messages)
    assert mapped(messages, profile) >= survey.mapped, folder.name
    said = re.sub(r"^# (HL7 versions|Delimiters|As generic|Warnings).*", "", text, flags=re.MULTILINE)
    for raw in messages:
        message = V2Message.parse(raw)
        for value in people_of(message):
            assert not re.search(rf"(?<![\w-]){re.escape(value)}(?![\w-])", said), (folder.name, len(value))
