"""Reading a SIU message: 26 facts by path, and the whole of it into FHIR, beside python-hl7 and hl7apy.

    python benchmarks/reading.py [--rounds 5]

One sample of 2 KB (tests/samples/s12_booked.hl7), every reader from bytes to the same 26 values, in one run.
The rounds take turns, the median counts. Read the ratios: absolute figures are the machine's.
`floor` is what splitting alone costs: lines and the fields of the seven segments read, no paths, no escapes.
"""

import argparse
import gc
import statistics
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import hl7
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message

from fhir_mappers.hl7_path import read_path
from fhir_mappers.profile import resolve
from fhir_mappers.translation import FeedFacts
from fhir_mappers.v2_message import V2Message
from fhir_mappers.v2_to_fhir import translate

ROOT = Path(__file__).parents[1]
RAW = (ROOT / "tests" / "samples" / "s12_booked.hl7").read_bytes()
PATHS = (
    *(
        "MSH-7",
        "MSH-9.2",
        "MSH-10",
        "MSH-11",
        "SCH-1",
        "SCH-2",
        "SCH-7.2",
        "SCH-9",
        "SCH-10",
        "SCH-11.4",
        "SCH-25",
    ),
    *(
        "TQ1-7",
        "TQ1-8",
        "PID-3",
        "PID-3[1].4",
        "PID-3[2].1",
        "PID-5",
        "PID-5.2",
        "PID-7",
        "PID-13[2].12",
        "PID-15",
    ),
    *("PV1-19", "PV1-3", "AIS-3.2", "AIL-3.9", "AIP-3.2"),
)
WANTED = [read_path(path) for path in PATHS]
PROFILE = resolve(
    "generic", {"generic": tomllib.loads((ROOT / "config/vendors/generic.toml").read_text("utf-8"))}
)
FEED = FeedFacts(name="main", scope="main", zone=ZoneInfo("America/New_York"))


def ours() -> list[str]:
    """Our reader."""
    message = V2Message.parse(RAW)
    return [message.get(path) for path in PATHS]


def python_hl7() -> list[str]:
    """The `hl7` package, by its own accessor."""
    message = hl7.parse(RAW.decode())
    return [
        message.extract_field(
            p.segment, p.occurrence + 1, p.field, p.repetition + 1, p.component + 1, p.subcomponent + 1
        )
        for p in WANTED
    ]


def hl7apy() -> list[str]:
    """The `hl7apy` package; it gives fields as text, so components are cut here, which spares it work."""
    message = parse_message(RAW.decode(), validation_level=VALIDATION_LEVEL.TOLERANT, find_groups=False)
    values = []
    for p in WANTED:
        segment = getattr(message, p.segment.lower())[p.occurrence]
        field = getattr(segment, f"{p.segment}_{p.field}".lower())[p.repetition]
        component = field.to_er7().split("^")[p.component]
        values.append(component.split("&")[p.subcomponent])
    return values


def floor() -> list[list[str]]:
    """Splitting alone."""
    lines = RAW.decode().split("\r")
    rows = {line[:3]: line for line in lines}
    return [rows[name].split("|") for name in ("MSH", "SCH", "TQ1", "PID", "PV1", "AIS", "AIL", "AIP")]


def into_fhir() -> object:
    """Bytes to FHIR Appointment and Patient, with everything decided."""
    return translate(RAW, PROFILE, FEED)


# What is measured, and how often it is done in one round.
SUBJECTS: dict[str, tuple[Callable[[], object], int]] = {
    "floor (split only)": (floor, 3000),
    "ours, 26 values": (ours, 3000),
    "python-hl7, 26 values": (python_hl7, 60),
    "hl7apy, 26 values": (hl7apy, 4),
    "ours, SIU → FHIR": (into_fhir, 600),
}
TARGETS = {"ours, 26 values": 25, "ours, SIU → FHIR": 250}  # µs, design.md §9


def measure(subject: Callable[[], object], times: int) -> float:
    """Microseconds for one."""
    gc.collect()
    begin = time.perf_counter()
    for _ in range(times):
        subject()
    return (time.perf_counter() - begin) / times * 1e6


def main() -> None:
    """Measure in turns and print the medians."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    assert ours() == python_hl7() == hl7apy(), "the readers disagree"
    figures: dict[str, list[float]] = {name: [] for name in SUBJECTS}
    for _ in range(rounds):
        for name, (subject, times) in SUBJECTS.items():
            figures[name].append(measure(subject, times))
    base = statistics.median(figures["ours, 26 values"])
    print(f"one SIU^S12 of {len(RAW)} bytes, median of {rounds} rounds")
    print(f"{'':24}{'µs':>10}{'x ours':>9}{'target':>9}")
    for name, found in figures.items():
        microseconds = statistics.median(found)
        target = f"{TARGETS[name]:>9}" if name in TARGETS else ""
        print(f"{name:24}{microseconds:>10.1f}{microseconds / base:>9.1f}{target}")


if __name__ == "__main__":
    main()
