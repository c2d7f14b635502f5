"""What the server can do is read from its statement, remembered for a day, and never assumed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from integration.adapters.ehr.capabilities import NOTHING, UNKNOWN, Abilities, Capabilities, read_server
from integration.adapters.ehr.fhir_client import FhirClient
from integration.ports.ehr import TryLater
from tests.adapters.ehr.strict_server import Fault, StrictEhr, listening

if TYPE_CHECKING:
    from collections.abc import Iterator


class Watch:
    """A clock that stands until it is told."""

    def __init__(self) -> None:
        self.now = datetime(2027, 3, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def ehr() -> Iterator[StrictEhr]:
    with listening(StrictEhr()) as server:
        yield server


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def capabilities(ehr: StrictEhr, watch: Watch) -> Iterator[Capabilities]:
    client = FhirClient(ehr.base_url)
    yield Capabilities(client, watch)
    client.close()


def test_the_statement_is_read_once_a_day(ehr: StrictEhr, watch: Watch, capabilities: Capabilities) -> None:
    assert capabilities.of("Communication") == Abilities(
        create=True, update=True, search=True, find=True, conditional_create=True, versioned_update=True
    )
    assert capabilities.of("Task") == NOTHING
    assert len(ehr.seen) == 1
    watch.now += timedelta(hours=25)
    capabilities.of("Communication")
    assert len(ehr.seen) == 2


def test_it_is_read_again_on_demand(ehr: StrictEhr, capabilities: Capabilities) -> None:
    capabilities.of("Communication")
    ehr.conditional_create = False
    capabilities.forget()
    abilities = capabilities.of("Communication")
    assert isinstance(abilities, Abilities)
    assert not abilities.conditional_create


def test_a_server_that_cannot_be_asked_is_asked_later(ehr: StrictEhr, capabilities: Capabilities) -> None:
    ehr.faults.append(Fault("GET", "metadata", 503))
    assert isinstance(capabilities.of("Communication"), TryLater)
    assert isinstance(capabilities.of("Communication"), Abilities)


def test_a_server_without_a_statement_is_tried_but_nothing_relied_upon(
    ehr: StrictEhr, watch: Watch, capabilities: Capabilities
) -> None:
    ehr.shows_capabilities = False
    assert capabilities.of("Communication") == UNKNOWN
    assert not UNKNOWN.conditional_create
    assert not UNKNOWN.versioned_update
    ehr.shows_capabilities = True
    watch.now += timedelta(minutes=11)
    assert capabilities.of("Communication") != UNKNOWN


@pytest.mark.parametrize(
    ("statement", "known"),
    [
        ({"resourceType": "OperationOutcome"}, None),
        ({"resourceType": "CapabilityStatement"}, None),
        ({"resourceType": "CapabilityStatement", "rest": [{"mode": "client"}]}, None),
        ({"resourceType": "CapabilityStatement", "rest": [{"mode": "server"}]}, {}),
        (
            # Epic, May 2026: create, read and search only
            {
                "resourceType": "CapabilityStatement",
                "rest": [
                    {
                        "mode": "server",
                        "resource": [
                            {
                                "type": "Communication",
                                "interaction": [
                                    {"code": "create"},
                                    {"code": "read"},
                                    {"code": "search-type"},
                                ],
                                "conditionalCreate": False,
                            }
                        ],
                    }
                ],
            },
            {"Communication": Abilities(create=True, search=True, find=True, read=True)},
        ),
    ],
)
def test_what_a_statement_says(statement: dict[str, object], known: dict[str, Abilities] | None) -> None:
    server = read_server(statement)
    assert (None if server is None else dict(server.abilities)) == known
