"""What every write-back mode keeps to, the shipped fake included: the same fact twice is one record."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from integration.adapters import write_back
from integration.adapters.ehr.choosing import MODES, PURPOSES, Purpose
from integration.adapters.ehr.fhir_client import FhirClient
from integration.domain.write_back import WriteBackKind
from integration.ports.ehr import Written
from integration.settings.model import WritingBack
from integration.testing.ehr import FakeWriteBack
from tests.adapters.ehr.charts import DELIVERED, admit, reply_fact, task_fact, tell, text_fact, wish_fact
from tests.adapters.ehr.strict_server import StrictEhr, listening
from tests.adapters.ehr.tooling import tools

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.ports.ehr import Fact, WriteBackMode

FOUND = [module.name for module in pkgutil.iter_modules(write_back.__path__)]
FACTS: dict[Purpose, list[Fact]] = {
    Purpose.TEXTS: [text_fact(), reply_fact()],
    Purpose.ANSWERS: [reply_fact(WriteBackKind.CONFIRMATION)],
    Purpose.CONSENT: [wish_fact()],
    Purpose.TASKS: [task_fact()],
}
SERVED = [
    (name, fact)
    for purpose, facts in FACTS.items()
    for name in MODES[purpose]
    for fact in facts
    if name in FOUND and not name.startswith("hl7_")
]
FOR_TEXTS = [name for name in FOUND if name in MODES[Purpose.TEXTS] and not name.startswith("hl7_")]


@pytest.fixture
def ehr() -> Iterator[StrictEhr]:
    with listening(StrictEhr()) as ehr:
        for also in ("DocumentReference", "Consent", "Task", "Appointment"):
            ehr.offers[also] = ehr.offers["Communication"]
        admit(ehr)
        ehr.put({"resourceType": "Group", "type": "practitioner", "actual": True}, "staff")
        ehr.put({"resourceType": "Communication", "status": "completed"}, "r1")  # the reply of wish and task
        yield ehr


@pytest.fixture(params=[*FOR_TEXTS, "fake"])
def mode(ehr: StrictEhr, request: pytest.FixtureRequest) -> Iterator[WriteBackMode]:
    if request.param == "fake":
        yield FakeWriteBack()
        return
    client = FhirClient(ehr.base_url)
    built: WriteBackMode = importlib.import_module(f"{write_back.__name__}.{request.param}").build(
        tools(client)
    )
    assert built.name == request.param
    yield built
    client.close()


@pytest.mark.parametrize(("name", "fact"), SERVED, ids=[f"{name}-{fact.row.kind}" for name, fact in SERVED])
def test_whatever_a_mode_is_for_is_one_record_however_often_it_is_told(
    ehr: StrictEhr, name: str, fact: Fact
) -> None:
    client = FhirClient(ehr.base_url)
    settings = WritingBack(staff_group="Group/staff")
    mode: WriteBackMode = importlib.import_module(f"{write_back.__name__}.{name}").build(
        tools(client, settings)
    )
    assert mode.name == name
    assert len(mode.describe().splitlines()) == 1
    told, first = tell(mode, fact)
    _, before_it_was_noted = tell(mode, fact)
    _, again = tell(mode, told)
    client.close()
    ids = {each.ehr_id for each in (first, before_it_was_noted, again) if isinstance(each, Written)}
    assert len(ids) == 1
    assert isinstance(again, Written)


def test_every_mode_serves_a_purpose() -> None:
    assert set(FOUND) <= {name for names in MODES.values() for name in names}
    assert set(PURPOSES) == set(WriteBackKind)


@pytest.mark.parametrize("fact", [text_fact(), reply_fact()], ids=["text", "reply"])
def test_every_kind_of_fact_is_taken(mode: WriteBackMode, fact: Fact) -> None:
    assert isinstance(mode.write(fact), Written)


def test_the_same_fact_twice_is_one_record(mode: WriteBackMode) -> None:
    first, second = mode.write(text_fact()), mode.write(text_fact())
    assert isinstance(first, Written)
    assert isinstance(second, Written)
    assert first.ehr_id == second.ehr_id


def test_news_goes_to_the_record_that_is_there(mode: WriteBackMode) -> None:
    first = mode.write(text_fact())
    assert isinstance(first, Written)
    row = replace(text_fact().row, ehr_id=first.ehr_id, ehr_version=first.version)
    later = mode.write(text_fact(row, **DELIVERED))
    assert isinstance(later, Written)
    assert later.ehr_id == first.ehr_id


def test_the_operator_is_told_in_one_line(mode: WriteBackMode) -> None:
    assert len(mode.describe().splitlines()) == 1
