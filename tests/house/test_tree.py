"""What may not stand in the repository, and what must stand beside what does."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.house.files import ROOT, tracked

TEXTS = [path for path in tracked() if path.suffix not in {".png", ".ico"} and path.name != "LICENSE"]
CONFIG = [path for path in tracked() if path.suffix == ".toml" and "config" in path.relative_to(ROOT).parts]
REGISTRIES = re.compile(
    r"pypi\.org|pythonhosted|crates\.io|registry\.npmjs|proxy\.golang|repo1?\.maven|deb\.debian|"
    r"index-url|find-links",
    re.IGNORECASE,
)
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:home|root|Users|work|opt)/\w")
SKIPS = re.compile(r"#\s*(?:noqa|type:\s*ignore)")
SKIPS_IN_TESTS = re.compile(r"#\s*noqa")  # there, the kind of a type error is reason enough
REASONED = re.compile(r"#\s*(?:noqa:\s*[A-Z]+[0-9, A-Z]*|type:\s*ignore\[[\w, -]+\])\s+(?:-|#)\s*\S")


def where(pattern: re.Pattern[str]) -> list[str]:
    this = Path(__file__)
    return [
        f"{path.relative_to(ROOT)}:{number}"
        for path in TEXTS
        if path != this
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_package_registry_is_named() -> None:
    assert where(REGISTRIES) == []


def test_no_path_of_somebodys_machine_is_named() -> None:
    assert where(MACHINE_PATHS) == []


def test_every_ignored_rule_has_its_reason_beside_it() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    ignores = re.search(r"^ignore = \[\n(.*?)^\]", text, re.DOTALL | re.MULTILINE)
    assert ignores
    bare = [line for line in ignores[1].splitlines() if not re.fullmatch(r'\s+"\w+",\s+# .+', line)]
    assert bare == []


def test_every_exception_to_a_rule_has_its_reason_beside_it() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in TEXTS
        if path.suffix == ".py" and path != Path(__file__)
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if (SKIPS_IN_TESTS if ROOT / "tests" in path.parents else SKIPS).search(line)
        and not REASONED.search(line)
    ]
    assert bare == []


@pytest.mark.parametrize("path", CONFIG, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_configuration_file_is_toml(path: Path) -> None:
    assert tomllib.loads(path.read_text(encoding="utf-8"))


def test_every_pin_has_a_hash() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        pins = re.split(r"\n(?=\S)", path.read_text().strip())
        assert pins
        assert [pin.split("==")[0] for pin in pins if "--hash=sha256:" not in pin] == []
