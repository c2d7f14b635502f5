"""Other projects' messages, where they are at hand: each is mapped, or refused with a named reason."""

from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from fhir_mappers.findings import REFUSALS
from fhir_mappers.v2_message import split_messages
from fhir_mappers.v2_to_fhir import translate
from tests.mappers.building import PROFILE
from tests.mappers.golden import ROOT, US
from tests.mappers.test_siu_to_bundle import check_fhir

PUBLIC = ROOT.parent / "shared" / "samples" / "hl7v2"
FILES = sorted(PUBLIC.rglob("*.hl7"))
pytestmark = pytest.mark.skipif(not FILES, reason="the public samples are not beside this repository")

# Repository, end of the file's name, number of the message → event, start, family name, number to text.
# Read by hand. All times are those written in the message, in the zone it names or in New York.
MICROSOFT = "microsoft+FHIR-Converter"
MIRTH = "nextgenhealthcare+connect"
BALNEARIO = "Balneario-de-Cofrentes+hl7v2"
NO_START = None
SIU = {
    # SCH-25 booked, TQ1-7 20210924093000+0215 (SCH-11 says 2020); the patient died in 2005 by PID-29.
    (MICROSOFT, "SIU-S12-01", 0): ("booked", "2021-09-24T09:30:00+02:15", "EVERYMAN", None),
    (MICROSOFT, "SIU-S13-01", 0): ("moved", "2021-09-24T09:30:00+02:15", "EVERYMAN", None),
    (MICROSOFT, "SIU-S14-01", 0): ("changed", "2021-09-24T09:30:00+02:15", "EVERYMAN", None),
    (MICROSOFT, "SIU-S15-01", 0): ("cancelled", "2021-09-24T09:30:00+02:15", "EVERYMAN", None),
    (MICROSOFT, "SIU-S16-01", 0): ("discontinued", "2021-09-24T09:30:00+02:15", "EVERYMAN", None),
    (MICROSOFT, "SIU-S17-01", 0): ("deleted", "2021-09-24T09:30:00+02:15", "EVERYMAN", None),
    (MICROSOFT, "SIU-S26-01", 0): ("no-show", "2021-09-24T09:30:00+02:15", "EVERYMAN", None),
    # SCH-11.4 17 June, AIL-6 and AIP-6 14 June.
    (MIRTH, "batch-batch01", 0): ("booked", "2011-06-17T08:45:00-04:00", "BEEBLEBROX", "+12605551234"),
    (MIRTH, "batch-batch01", 1): ("changed", "2011-06-17T08:45:00-04:00", "BEEBLEBROX", "+12605551234"),
    (MIRTH, "batch-batch01", 2): ("cancelled", "2011-06-17T08:45:00-04:00", "BEEBLEBROX", "+12605551234"),
    (MIRTH, "notempty-01", 0): ("booked", "2011-06-17T08:45:00-04:00", "BEEBLEBROX", "+12605551234"),
    (MIRTH, "nonbatch-02", 0): ("changed", "2011-06-17T08:45:00-04:00", "BEEBLEBROX", "+12605551234"),
    (MIRTH, "nonbatch-03", 0): ("cancelled", "2011-06-17T08:45:00-04:00", "BEEBLEBROX", "+12605551234"),
    # Both numbers are of area codes that do not exist (919-007, 777).
    ("joemoceri+hl7tools-dotnet", "New_Appointment.txt", 0): (
        "booked",
        "2019-04-23T14:00:00-04:00",
        "Bond",
        None,
    ),
    ("cosyte+hl7", "siu-s12-appointment", 0): ("booked", "2026-05-01T09:00:00-04:00", "Doe", None),
    # SCH is one field short: the start stands in SCH-10.4.
    ("cosyte+hl7", "siu-s12", 0): ("booked", "2026-04-20T09:00:00-04:00", "Doe", None),
    ("rethinkhealth+hl7v2", "siu-s12-schedule", 0): ("booked", "2026-03-25T14:00:00-04:00", "JOHNSON", None),
    (BALNEARIO, "siu_s12", 0): ("booked", NO_START, "Smith", None),
    (BALNEARIO, "siu_s14", 0): ("changed", NO_START, "Robinson", None),
    (BALNEARIO, "aig_test.exs.d-00_SIU_S12", 0): ("booked", NO_START, "Smith", None),
    (BALNEARIO, "ail_test.exs.d-00_SIU_S12", 0): ("booked", NO_START, "Smith", None),
    (BALNEARIO, "aip_test.exs.d-00_SIU_S12", 0): ("booked", NO_START, "Smith", None),
    (BALNEARIO, "rgs_test.exs.d-00_SIU_S12", 0): ("booked", NO_START, "Smith", None),
    (BALNEARIO, "validation_test.exs.d-00_SIU_S14", 0): ("changed", NO_START, "Doe", None),
}


@pytest.mark.parametrize(
    "path", [pytest.param(path, id=f"{path.parent.name}/{path.stem[-40:]}") for path in FILES]
)
def test_every_message_is_mapped_or_refused_with_a_named_reason(path: Path) -> None:
    messages = split_messages(path.read_bytes())
    assert messages
    for raw in messages:
        translation = translate(raw, PROFILE, US)
        check_fhir(translation)
        if translation.refusal is not None:
            assert translation.refusal.code in REFUSALS


def test_every_siu_yields_its_event_its_start_and_its_patient() -> None:
    found = {}
    for path in FILES:
        for number, raw in enumerate(split_messages(path.read_bytes())):
            translation = translate(raw, PROFILE, US)
            if b"SIU^" not in raw[:300]:
                continue
            appointment = translation.appointment
            assert appointment is not None, path.name
            found[path.parent.name, path.stem, number] = (
                translation.event,
                appointment.start,
                translation.patients[0].family,
                translation.patients[0].text_to,
            )
    assert len(found) == len(SIU)
    for (repository, end, number), (event, start, family, text_to) in SIU.items():
        (match,) = [
            f for (r, stem, n), f in found.items() if r == repository and stem.endswith(end) and n == number
        ]
        assert (match[0], match[2], match[3]) == (event, family, text_to), end
        assert (match[1] and match[1].timestamp()) == (start and datetime.fromisoformat(start).timestamp()), (
            end
        )


def test_what_is_neither_siu_nor_adt_is_refused_as_such() -> None:
    """Counted by the message type alone: everything that is neither, and nothing else."""
    reasons: Counter[str] = Counter()
    others = 0
    for path in FILES:
        for raw in split_messages(path.read_bytes()):
            if b"|ADT^" in raw[:300]:
                continue
            refusal = translate(raw, PROFILE, US).refusal
            reasons[refusal.code if refusal else "mapped"] += 1
            others += b"SIU^" not in raw[:300]
    assert reasons == {"mapped": len(SIU), "unsupported-trigger": others - 1, "request": 1}  # one SRM


ADT = {"arrived": 426, "unchanged": 45, "changed": 2, "merges": 10, "irrelevant-trigger": 9, "no-patient": 2}


def test_every_adt_is_read_or_says_by_name_why_not() -> None:
    told: Counter[str] = Counter()
    for path in FILES:
        for raw in split_messages(path.read_bytes()):
            translation = translate(raw, PROFILE, US)
            if b"|ADT^" in raw[:300]:
                told[translation.refusal.code if translation.refusal else translation.event] += 1
                told["merges"] += len(translation.merges)
    assert told == ADT
