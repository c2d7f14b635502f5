"""What every write-back mode keeps to, the shipped fake included: the same fact twice is one record."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from integration.adapters import write_back
from integration.adapters.ehr.fhir_client import FhirClient
from integration.domain.write_back import WriteBackKind
from integration.ports.ehr import Written
from integration.testing.ehr import FakeWriteBack
from tests.adapters.ehr.charts import DELIVERED, admit, reply_fact, text_fact
from tests.adapters.ehr.strict_server import StrictEhr, listening

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integration.ports.ehr import WriteBackMode

MODES = [module.name for module in pkgutil.iter_modules(write_back.__path__)]


@pytest.fixture(params=[*MODES, "fake"])
def mode(request: pytest.FixtureRequest) -> Iterator[WriteBackMode]:
    if request.param == "fake":
        yield FakeWriteBack()
        return
    module = importlib.import_module(f"{write_back.__name__}.{request.param}")
    with listening(StrictEhr()) as ehr:
        admit(ehr)
        built: WriteBackMode = module.build(
            client=FhirClient(ehr.base_url), organization=lambda _: "Riverside Clinic"
        )
        assert built.name == request.param
        yield built
        client = getattr(built, "_client", None)
        if client is not None:
            client.close()


def test_every_kind_of_fact_is_taken(mode: WriteBackMode) -> None:
    for fact in (text_fact(), reply_fact(), reply_fact(WriteBackKind.CONFIRMATION)):
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
