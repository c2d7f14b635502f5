"""The chart, as the pipeline sees it: one way for each purpose, by the settings and by what the EHR can do.

The choice is made anew whenever the CapabilityStatement is read again (daily), and
when the EHR refuses a way: then the next fitting one takes the fact. Only what was
refused outright goes another way; what the EHR may hold stays with who may have
written it (`WriteBack.mode`), so that nothing is told twice.
"""

from __future__ import annotations

import pkgutil
from dataclasses import replace
from importlib import import_module
from threading import Lock, Thread
from typing import TYPE_CHECKING, Final

import structlog

from integration.adapters import write_back
from integration.adapters.ehr.choosing import (
    NAMED,
    PURPOSES,
    WITHOUT,
    WORDS,
    Purpose,
    Surroundings,
    Way,
    choose,
    needs_no_server,
)
from integration.adapters.ehr.fhir_answers import NoEncounter, NoPlace, Unfit
from integration.ports.ehr import LeftOut, NotWritable, TryLater, Written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from integration.adapters.ehr.capabilities import Server
    from integration.adapters.ehr.tools import Tools
    from integration.domain.write_back import WriteBackKind
    from integration.ports.ehr import Fact, WriteBackMode, WriteOutcome

_MOST_UNFIT: Final = 3  # refusals in a row by a resource type that never took any: it takes none
_MOST_CLOSED: Final = 3  # charts in a row that are closed to a way which was open: all are
_PATIENCE: Final = 1.5  # seconds that a start waits for the EHR to say what it can do

_log = structlog.get_logger()


def mode_names() -> frozenset[str]:
    """The modes there are: the modules in `adapters/write_back`."""
    return frozenset(module.name for module in pkgutil.iter_modules(write_back.__path__))


class Chart:
    """See `integration.ports.ehr.WriteBackMode`; threads may share it."""

    name = "chart"

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._names = mode_names()
        self._built: dict[str, WriteBackMode] = {}
        self._lock = Lock()
        self._told: Mapping[Purpose, Way] = {}
        self._took: set[str] = set()  # modes by which something was written
        self._unfit: dict[str, int] = {}  # mode → refusals in a row, while it never took any
        self._closed: dict[str, set[int]] = {}  # mode that took some → whose charts refused it in a row

    def describe(self) -> str:
        """One line for the operator."""
        where = [] if self._tools.fhir is None else [self._tools.fhir.client.base_url]
        if self._tools.settings.hl7 is not None:
            where.append(f"HL7 v2 at {self._tools.settings.hl7.host}:{self._tools.settings.hl7.port}")
        if not where:
            return "no EHR is configured (EHR_FHIR_BASE_URL): outcomes are logged, no chart is written"
        return " and ".join(where)

    def lines(self) -> list[str]:
        """How each purpose is served, a line each; waits for the EHR a moment only. None without an EHR."""
        if self._tools.fhir is None and self._tools.settings.hl7 is None:
            return []
        said: list[Mapping[Purpose, Way] | TryLater] = []
        asking = Thread(target=lambda: said.append(self.ways()), daemon=True)
        asking.start()
        asking.join(_PATIENCE)
        if not said or isinstance(said[0], TryLater):
            return ["the EHR has not said yet what it can do; `appointment-texts ehr check` asks again"]
        return [_line(way) for way in said[0].values()]

    def servers(self) -> Mapping[str, frozenset[WriteBackKind]]:
        """The kinds of fact that each server is told, as far as is known; asks nobody."""
        by_server: dict[str, set[WriteBackKind]] = {}
        for kind, purpose in PURPOSES.items():
            way = self._told.get(purpose)
            mode = way.mode if way else NAMED[purpose].get(getattr(self._tools.settings, purpose, ""), "")
            by_server.setdefault("HL7 v2" if mode.startswith("hl7_") else "FHIR", set()).add(kind)
        return {server: frozenset(kinds) for server, kinds in by_server.items()}

    def ways(self) -> Mapping[Purpose, Way] | TryLater:
        """The way of each purpose as of now; `TryLater` when the EHR cannot be asked."""
        server = self._server()
        if isinstance(server, TryLater):
            return server
        return choose(Surroundings(server, self._tools.settings, self._names))

    def write(self, fact: Fact) -> WriteOutcome:
        """By the way that is its purpose's, or that it went before."""
        if fact.row.mode in self._names and fact.row.mode is not None:
            try:
                mode = self._mode(fact.row.mode)
            except ValueError:  # what it needs is no longer set
                return _off_the_way(fact)
            outcome = mode.write(fact)
            if (
                fact.row.is_in_chart
                or not isinstance(outcome, NoPlace | Unfit)
                or fact.row.reason is not None
            ):
                return _of(mode, outcome)
        return self._by_choice(fact)

    def _by_choice(self, fact: Fact) -> WriteOutcome:
        purpose = PURPOSES[fact.row.kind]
        without: set[str] = set()
        first: WriteOutcome | None = None
        while True:
            server = None if needs_no_server(self._tools.settings, purpose) else self._server()
            if isinstance(server, TryLater):
                return server
            around = Surroundings(server, self._tools.settings, self._names)
            if not without and (server is not None or self._tools.fhir is None):
                self._tell(choose(around))
            way = choose(around, without)[purpose]
            if not way.mode or way.mode in without:
                return first or LeftOut(WITHOUT[purpose])
            mode = self._mode(way.mode)
            if way.mode == "log_only" and server is not None and self._tools.settings.texts == "auto":
                # There is a chart, and it does not have it: the row says so, and may be tried again.
                mode.write(fact)
                return first or LeftOut(f"logged only: {way.why}")
            outcome = mode.write(fact)
            if not self._goes_on(way.mode, fact, outcome):
                return _of(mode, outcome)
            first = first or outcome
            without.add(way.mode)

    def _goes_on(self, name: str, fact: Fact, outcome: WriteOutcome) -> bool:
        """Whether another way should be tried with the same fact: this one surely did not take it."""
        if isinstance(outcome, Written):
            self._took.add(name)
            self._unfit.pop(name, None)
            self._closed.pop(name, None)
        if isinstance(outcome, NoEncounter):
            return True
        if isinstance(outcome, NoPlace) and outcome.resource_type:
            if name in self._took and not self._is_closed(name, fact.row.patient_id):
                return False  # perhaps this chart alone is closed to us: a person's business
            self._deny(outcome.resource_type, outcome.reason)
            return True
        if isinstance(outcome, Unfit) and outcome.resource_type and name not in self._took:
            self._unfit[name] = self._unfit.get(name, 0) + 1
            if self._unfit[name] >= _MOST_UNFIT:
                self._deny(outcome.resource_type, outcome.reason)
            return True
        return False

    def _is_closed(self, name: str, patient_id: int) -> bool:
        """Whether a way that took facts takes none any more: of several patients in a row it took none."""
        charts = self._closed.setdefault(name, set())
        charts.add(patient_id)
        if len(charts) < _MOST_CLOSED:
            return False
        del self._closed[name]
        self._took.discard(name)
        return True

    def _deny(self, resource_type: str, reason: str) -> None:
        if self._tools.fhir is not None:
            self._tools.fhir.capabilities.deny(resource_type, "create")
        _log.warning("ehr_refuses", resource=resource_type, reason=reason)

    def _server(self) -> Server | TryLater | None:
        return None if self._tools.fhir is None else self._tools.fhir.capabilities.server()

    def _mode(self, name: str) -> WriteBackMode:
        with self._lock:
            if name not in self._built:
                module = import_module(f"{write_back.__name__}.{name}")
                build: Callable[[Tools], WriteBackMode] = module.build
                self._built[name] = build(self._tools)
            return self._built[name]

    def _tell(self, ways: Mapping[Purpose, Way]) -> None:
        """Say a choice once, and every change of it."""
        with self._lock:
            if ways == self._told:
                return
            changed = [way for purpose, way in ways.items() if way != self._told.get(purpose)]
            self._told = ways
        for way in changed:
            _log.info(
                "write_back_way", purpose=way.purpose, mode=way.mode or None, why=way.why, cannot=way.cannot
            )


def _off_the_way(fact: Fact) -> WriteOutcome:
    """Of a fact that went, or may have gone, a way for which a setting is now missing."""
    went = f"by {WORDS.get(fact.row.mode or '', 'a way')}, and the settings lead there no more"
    if fact.row.is_in_chart:
        return LeftOut(f"the chart was told {went}: it keeps what it has")
    return NotWritable(f"the chart may have been told {went}", doubtful=True)


def _of(mode: WriteBackMode, outcome: WriteOutcome) -> WriteOutcome:
    """The outcome, with who wrote it or may have."""
    if mode.name == "log_only":
        return outcome  # an EHR configured later gets the next news as something new
    if isinstance(outcome, Written) or (isinstance(outcome, NotWritable | TryLater) and outcome.doubtful):
        return replace(outcome, mode=mode.name)
    return outcome


def _line(way: Way) -> str:
    told = "".join(f"; {each}" for each in way.cannot)
    return f"{way.purpose}: {WORDS.get(way.mode, 'nothing')} ({way.why}){told}"
