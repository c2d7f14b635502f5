"""`chart`: what the EHR would not take or has not taken yet, by ids and reasons; shown, and tried again.

The EHR's own words about a refusal may quote a person: only `chart show` prints them.
"""

from __future__ import annotations

import argparse
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from integration import bootstrap
from integration.domain.write_back import WriteBackState
from integration.entrypoints.printing import json_line, say, table, warn
from integration.entrypoints.surroundings import the_environment
from integration.entrypoints.troubles import Usage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.domain.write_back import WriteBack
    from integration.ports.store import Store, Unit

_STATES: Final = {
    "parked": (WriteBackState.REFUSED, WriteBackState.GAVE_UP),
    **{state.value: (state,) for state in WriteBackState},
}
_AT_ONCE: Final = 500  # rows read or reopened in one transaction
_MORE: Final = """\
  list      facts the EHR has not taken (the default): those parked, unless --state says otherwise
  reasons   how many are parked, by reason
  show      some facts, with what the EHR said of them: its words may quote a person
  replay    try some again after a fix: by their numbers, by --reason, or --all of those parked

  appointment-texts chart reasons
  appointment-texts chart show 4711
  appointment-texts chart replay --reason "the EHR refused it: HTTP 403"

A replay tells the chart the fact as it is by then, once: what is there already is found by our identifier.
What the EHR may have taken without a word is replayed by its number alone, once a person has looked.
Among facts that were left out rightly (`gave_up`: nothing to write to) a replay changes nothing by itself.

Exit status: 0 done; 1 a fact is unknown, or is not parked; 2 wrong usage."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The deed, and the facts it is about."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _MORE
    parser.add_argument(
        "deed", nargs="?", choices=("list", "reasons", "show", "replay"), default="list", help="see below"
    )
    parser.add_argument("ids", nargs="*", type=int, metavar="ID", help="facts, by their number in the list")
    parser.add_argument("--state", choices=_STATES, default="parked", help="list: those in this state")
    parser.add_argument("--reason", help="those with this reason, or one that begins so")
    parser.add_argument("--all", action="store_true", help="replay: whatever is parked")
    parser.add_argument("--limit", type=int, default=100, help="list: so many (100)")
    parser.add_argument("--demo", action="store_true", help="of the store of `run --demo`")
    parser.add_argument("--json", action="store_true", help="one fact a line, as JSON")


def run(options: argparse.Namespace) -> int:
    """Exit status 1 when a fact is unknown, or is not parked. Raises Usage."""
    _check(options)
    environment = bootstrap.demo_places(the_environment()) if options.demo else the_environment()
    store = bootstrap.open_existing_store(environment)
    try:
        if options.deed == "show":
            return _show(store, options)
        if options.deed == "replay":
            return _replay(store, options)
        return _reasons(store, options) if options.deed == "reasons" else _list(store, options)
    finally:
        store.close()


def _check(options: argparse.Namespace) -> None:
    if options.deed == "show" and not options.ids:
        raise Usage("show: which? Name facts by their number in the list.")
    if options.deed == "replay" and sum(map(bool, (options.ids, options.reason, options.all))) != 1:
        raise Usage("replay: which? Name facts by their numbers, or --reason, or --all.")
    if options.limit < 1:
        raise Usage("--limit: at least 1")
    if options.deed in {"list", "reasons"} and options.ids:
        raise Usage(f"{options.deed}: takes no numbers; `show` does.")


def _list(store: Store, options: argparse.Namespace) -> int:
    found = list(islice(_rows(store, options.state, options.reason), options.limit + 1))
    lines = [_as_json(row) for row in found[: options.limit]]
    if options.json:
        for line in lines:
            json_line(line)
    else:
        head = ("id", "kind", "of", "patient", "state", "tries", "next try", "reason")
        table(head, (list(line.values()) for line in lines))
    if len(found) > options.limit:
        warn(f"There are more than these {options.limit}: --limit.")
    return 0


def _reasons(store: Store, options: argparse.Namespace) -> int:
    rows = _rows(store, options.state, options.reason)
    found = Counter((row.state.value, row.reason or "") for row in rows)
    lines = [(count, state, reason) for (state, reason), count in found.most_common()]
    if options.json:
        for count, state, reason in lines:
            json_line({"count": count, "state": state, "reason": reason})
    else:
        table(("facts", "state", "reason"), lines)
    return 0


def _show(store: Store, options: argparse.Namespace) -> int:
    rows, unknown = _named(store, options.ids)
    for row in rows:
        line = _as_json(row) | {
            "written_by": row.mode,
            "ehr_id": row.ehr_id,
            "ehr_version": row.ehr_version,
            "the_ehr_said": row.words,
        }
        if options.json:
            json_line(line)
        else:
            *facts, words = line.items()
            say(*(f"{name.replace('_', ' ')}: {value}" for name, value in facts if value is not None))
            if words[1] is not None:
                say("the EHR said:", *(f"  {each}" for each in words[1].splitlines()))
            say("")
    warn(*unknown)
    return int(bool(unknown))


def _replay(store: Store, options: argparse.Namespace) -> int:
    if options.ids:
        rows, complaints = _named(store, options.ids)
        parked = [row.id for row in rows if row.state in _STATES["parked"]]
        others = (row for row in rows if row.id not in parked)
        complaints += [f"Fact {row.id} is {row.state.value}, not parked." for row in others]
    else:
        complaints = []
        rows = list(_rows(store, "parked", options.reason))
        parked = [row.id for row in rows if not _may_be_there(row)]
        if left := len(rows) - len(parked):
            complaints.append(
                f"{left} may be in the chart already, which nobody can tell but who looks there: "
                "replay those by their numbers that are not."
            )
    again = 0
    for first in range(0, len(parked), _AT_ONCE):
        with store.unit() as unit:
            again += unit.write_backs.again(parked[first : first + _AT_ONCE])
    warn(*complaints, f"To be told to the chart again: {again}.")
    return int(bool(complaints and options.ids))


def _may_be_there(row: WriteBack) -> bool:
    """Whether the EHR may have taken it without a word: told again, it may stand there twice."""
    return row.state is WriteBackState.REFUSED and row.mode is not None and row.ehr_id is None


def _named(store: Store, ids: list[int]) -> tuple[list[WriteBack], list[str]]:
    """The facts of these numbers, and a sentence for each that is none."""
    with store.reading() as unit:
        found = {each: _found(unit, each) for each in dict.fromkeys(ids)}
    unknown = [f"There is no fact {each}." for each, row in found.items() if row is None]
    return [row for row in found.values() if row is not None], unknown


def _found(unit: Unit, row_id: int) -> WriteBack | None:
    try:
        return unit.write_backs.get(row_id)
    except KeyError:
        return None


def _rows(store: Store, state: str, reason: str | None) -> Iterator[WriteBack]:
    """Those in a state, by id, some at a time."""
    last = 0
    while True:
        with store.reading() as unit:
            rows = unit.write_backs.listed(_STATES[state], after_id=last, limit=_AT_ONCE)
        if not rows:
            return
        last = rows[-1].id
        yield from (row for row in rows if reason is None or (row.reason or "").startswith(reason))


def _as_json(row: WriteBack) -> dict[str, Any]:
    """One fact, by our own ids, without the EHR's words."""
    return {
        "id": row.id,
        "kind": row.kind.value,
        "of": row.subject_id,
        "patient": row.patient_id,
        "state": row.state.value,
        "tries": row.tries,
        "next_try_at": None if row.next_try_at is None else row.next_try_at.isoformat(timespec="seconds"),
        "reason": row.reason,
    }
