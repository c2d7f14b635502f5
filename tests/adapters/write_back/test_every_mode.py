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
from integration.testing.ehr import FakeWriteBack
from tests.adapters.ehr.charts import DELIVERED, admit, reply_fact, text_fact
from tests.adapters.ehr.strict_server import StrictEhr, listening
from tests.adapters.ehr.tooling import tools

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.ports.ehr import Fact, WriteBackMode

FOUND = [module.name for module in pkgutil.iter_modules(write_back.__path__)]
FOR_TEXTS = [name for name in FOUND if name in MODES[Purpose.TEXTS] and not name.startswith("hl7_")]


@pytest.fixture
def ehr() -> Iterator[StrictEhr]:
    with listening(StrictEhr()) as ehr:
        ehr.offers["DocumentReference"] = ehr.offers["Communication"]
        admit(ehr)
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
