"""One target under atheris, which looks for inputs that reach new code: TARGET RUNS SEED CORPUS FINDINGS.

Ends with 0 when every input held. An input that does not is written into the folder FINDINGS.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import atheris  # type: ignore[import-untyped, import-not-found, unused-ignore] # installed by `make fuzz` alone

with atheris.instrument_imports(include=["hl7_listener", "fhir_mappers", "integration.domain"]):
    from tests.fuzzing.seeds import seeds
    from tests.fuzzing.targets import TARGETS, quietly

if TYPE_CHECKING:
    from collections.abc import Sequence

DICTIONARY = Path(__file__).with_name("hl7.dict")
LONGEST = 4096  # bytes of an input
SLOWEST = 20  # seconds one input may take


def main(arguments: Sequence[str]) -> None:
    """Fuzz; atheris ends the process."""
    target, runs, seed, corpus, findings = arguments
    for folder in (corpus, findings):
        Path(folder).mkdir(parents=True, exist_ok=True)
    for number, each in enumerate(seeds(target)):
        (Path(corpus) / f"seed-{number}").write_bytes(each)
    quietly()
    options = [
        f"-runs={runs}",
        f"-seed={seed}",
        f"-max_len={LONGEST}",
        f"-timeout={SLOWEST}",
        f"-artifact_prefix={findings}/",
        "-rss_limit_mb=4096",
        "-print_final_stats=1",
    ]
    if target != "reply":
        options.append(f"-dict={DICTIONARY}")
    atheris.Setup([sys.argv[0], *options, corpus], TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
