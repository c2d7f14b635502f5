"""The arrows between our rooms hold, and no module of ours hides somebody else's."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import packages_distributions

from tests.house.files import ROOT, modules, toplevel_names

OURS = {"integration", "fhir_mappers", "hl7_listener"}


# In a process of its own: it sets logging up anew, and silences every logger that is there already.
LINT = "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"


def test_the_import_contracts_hold() -> None:
    found = subprocess.run(
        [sys.executable, "-c", LINT], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout


def test_every_package_is_one_of_three_rooms() -> None:
    assert toplevel_names() == OURS


def test_no_room_has_the_name_of_a_library_or_of_the_standard_library() -> None:
    installed = packages_distributions()
    for room in OURS:
        assert room not in sys.stdlib_module_names
        assert set(installed.get(room, [])) <= {"appointment-texts"}, f"{room} is also {installed[room]}"


def test_every_module_opens_with_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in modules()
        if path.read_text().strip() and not path.read_text().startswith(('"""', 'r"""'))
    ]
    assert silent == []
