"""SMART Backend Services: one token for all, asked for as a strict server wants it."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from integration.adapters.ehr.fhir_answers import Held
from integration.adapters.ehr.fhir_client import FhirClient
from integration.adapters.ehr.key_rotation import make, rotate
from integration.adapters.ehr.scopes import Needs
from integration.adapters.ehr.signing_keys import KeyRing, new_key, published
from integration.adapters.ehr.smart_backend import Registration, SmartBackend
from integration.ports.ehr import TryLater
from integration.testing.store import FakeStore
from tests.adapters.ehr.strict_server import Fault, StrictEhr, listening
from tests.adapters.ehr.token_server import TokenServer, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from integration.adapters.ehr.signing_keys import SigningKey
    from integration.ports.store import Store

NOW = datetime(2027, 3, 1, 14, 0, tzinfo=UTC)
SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)
KEY = new_key("ES384")
RSA = new_key("RS384")


class Ring(KeyRing):
    """Keys as they are given."""

    def __init__(self, *keys: SigningKey) -> None:
        self.now = keys

    def current(self) -> tuple[SigningKey, ...]:
        return self.now


@dataclass
class Story:
    """A server, a store, a clock they share, and one or more processes of ours."""

    server: TokenServer
    store: Store = field(default_factory=FakeStore)
    ring: KeyRing = field(default_factory=lambda: Ring(KEY))
    scopes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.needs = Needs()
        self.needs.certain["Patient"] |= set("rs")
        self.needs.perhaps["Communication"] |= set("crus")
        self.jtis = count(1)
        self.backends: list[SmartBackend] = []

    def backend(self) -> SmartBackend:
        made = SmartBackend(
            Registration(self.server.base_url, "texts", self.scopes),
            self.ring,
            self.needs,
            self.store,
            wall=lambda: self.server.now,
            new_jti=lambda: f"jti-{next(self.jtis)}",
        )
        self.backends.append(made)
        return made

    def later(self, wait: timedelta) -> None:
        self.server.now += wait


@pytest.fixture
def server() -> Iterator[TokenServer]:
    with serving(TokenServer(NOW, jwks=published([KEY, RSA]))) as server:
        yield server


@pytest.fixture
def story(server: TokenServer) -> Iterator[Story]:
    story = Story(server)
    yield story
    for backend in story.backends:
        backend.close()


def reason(token: object) -> str:
    assert isinstance(token, TryLater)
    return token.reason


@pytest.mark.parametrize("key", [KEY, RSA], ids=["ES384", "RS384"])
def test_a_strict_server_gives_a_token_for_either_algorithm(story: Story, key: SigningKey) -> None:
    story.ring = Ring(key)
    assert story.backend().token() == "token-1"
    assert story.server.headers == [{"alg": key.algorithm, "kid": key.kid, "typ": "JWT"}]
    assert story.server.claims[0]["exp"] == int((NOW + 4 * MINUTE).timestamp())


@pytest.mark.parametrize(
    ("algorithms", "used"), [(["RS384"], "RS384"), (["ES384"], "ES384"), (["RS384", "ES384"], "ES384")]
)
def test_the_key_is_one_whose_algorithm_the_server_verifies(
    story: Story, algorithms: list[str], used: str
) -> None:
    story.ring, story.server.algorithms = Ring(KEY, RSA), algorithms
    assert story.backend().token() == "token-1"
    assert story.server.headers[0]["alg"] == used


def test_without_a_fitting_key_nothing_is_sent_and_a_person_is_told(story: Story) -> None:
    story.server.algorithms = ["RS384"]
    assert "the EHR verifies RS384: make a key for it" in reason(story.backend().token())
    assert not story.server.asked


def test_a_token_is_used_until_a_minute_before_its_end(story: Story) -> None:
    backend = story.backend()
    assert [backend.token(), backend.token()] == ["token-1"] * 2
    story.later(4 * MINUTE - SECOND)
    assert backend.token() == "token-1"
    story.later(SECOND)
    assert backend.token() == "token-2"
    assert story.server.discoveries == 1


def test_another_process_uses_the_token_that_is_there(story: Story) -> None:
    assert story.backend().token() == "token-1"
    assert story.backend().token() == "token-1"
    assert story.server.issued == 1


def test_many_threads_of_several_processes_ask_for_one_token(store: Store, server: TokenServer) -> None:
    story = Story(server, store)
    backends = [story.backend() for _ in range(3)]
    with ThreadPoolExecutor(12) as pool:
        answers = Counter(
            each if isinstance(each, str) else "later"
            for each in pool.map(lambda n: backends[n % 3].token(), range(60))
        )
    assert server.issued == 1
    assert answers["token-1"] + answers["later"] == 60
    assert {backend.token() for backend in backends} == {"token-1"}
    for backend in backends:
        backend.close()


def test_who_waits_for_anothers_fetch_uses_the_old_token_while_it_lives(story: Story) -> None:
    backend = story.backend()
    backend.token()
    name = backend.name()
    story.later(4 * MINUTE + 30 * SECOND)
    with story.store.unit() as unit:
        assert unit.tokens.claim_refresh(name, story.server.now, story.server.now + MINUTE)
    assert backend.token() == "token-1"
    story.later(45 * SECOND)  # it has run out
    assert "is being fetched" in reason(backend.token())
    assert story.server.issued == 1
    story.later(MINUTE)  # whoever was at it has died
    assert backend.token() == "token-2"


def test_a_refused_token_is_dropped_once_and_the_request_sent_again(story: Story) -> None:
    with listening(StrictEhr()) as ehr:
        client = FhirClient(ehr.base_url, authorization=story.backend())
        ehr.faults.append(Fault("POST", "Communication", 401))
        answer = client.create({"resourceType": "Communication", "status": "preparation"})
        assert isinstance(answer, Held)
        assert [each.headers["authorization"] for each in ehr.seen] == ["Bearer token-1", "Bearer token-2"]
        ehr.faults += [Fault("GET", "Communication", 401)] * 2
        assert isinstance(client.read("Communication", answer.id), TryLater)
        client.close()
    assert story.server.issued == 2  # a server that refuses every token is not asked for one after another


def test_of_many_who_hear_the_same_refusal_one_fetches(story: Story) -> None:
    backend, other = story.backend(), story.backend()
    assert backend.token() == other.token() == "token-1"
    assert backend.refused("token-1")
    assert backend.token() == "token-2"
    assert backend.refused("token-1")  # a request that was under way
    assert other.refused("token-1")
    assert backend.token() == other.token() == "token-2"


def test_after_a_minute_a_refused_token_is_dropped_again(story: Story) -> None:
    backend = story.backend()
    assert backend.token() == "token-1"
    assert backend.refused("token-1")
    assert backend.token() == "token-2"
    assert not backend.refused("token-2")
    story.later(MINUTE)
    assert backend.refused("token-2")
    assert backend.token() == "token-3"


ANSWERS: dict[str, tuple[int, dict[str, str], Any, str]] = {
    "unknown": (401, {}, {"error": "invalid_client", "error_description": "Secret"}, "EHR_CLIENT_ID"),
    "scope": (400, {}, {"error": "invalid_scope"}, "EHR_SCOPES"),
    "grant": (400, {}, {"error": "unauthorized_client"}, "backend services"),
    "own words": (400, {}, {"error": "Secret words"}, "HTTP 400"),
    "no json": (403, {}, "Secret words", "HTTP 403"),
    "away": (503, {}, "Secret words", "HTTP 503"),
    "busy": (429, {"Retry-After": "7"}, None, "HTTP 429"),
    "moved": (307, {"Location": "http://127.0.0.1:9/token"}, None, "redirects"),
    "no token": (200, {}, {"token_type": "bearer"}, "without a token"),
    "a token of lines": (200, {}, {"access_token": "a\r\nX: y", "token_type": "bearer"}, "without a token"),
    "another kind": (200, {}, {"access_token": "t", "token_type": "mac"}, "no bearer"),
    "a list": (200, {}, ["Secret"], "without a token"),
}


@pytest.mark.parametrize(("status", "headers", "said", "told"), ANSWERS.values(), ids=ANSWERS.keys())
def test_an_answer_without_a_token_is_told_by_its_code_alone(
    story: Story, status: int, headers: dict[str, str], said: Any, told: str
) -> None:
    story.server.answers.append((status, headers, said))
    later = story.backend().token()
    assert isinstance(later, TryLater)
    assert told in later.reason
    assert "Secret" not in later.reason
    assert later.away  # the circuit opens: facts are not tried one after another


def test_after_trouble_nobody_asks_again_at_once_and_then_one_does(story: Story) -> None:
    story.server.answers.append((429, {"Retry-After": "7"}, None))
    backend, other = story.backend(), story.backend()
    assert "HTTP 429" in reason(backend.token())
    assert "HTTP 429" in reason(backend.token())  # as it was told, without asking
    assert "none could be had" in reason(other.token())
    assert len(story.server.asked) == 1
    story.later(7 * SECOND)
    assert other.token() == backend.token() == "token-1"


def test_when_no_new_one_can_be_had_the_old_one_serves_while_it_lives(story: Story) -> None:
    backend = story.backend()
    backend.token()
    story.later(4 * MINUTE + SECOND)
    story.server.answers.append((500, {}, None))
    assert backend.token() == "token-1"
    story.later(MINUTE)
    assert backend.token() == "token-2"


def test_clocks_that_are_apart_are_said_beside_the_refusal(story: Story) -> None:
    story.server.date = "Mon, 01 Mar 2027 13:50:00 GMT"
    story.server.answers.append((401, {}, {"error": "invalid_client"}))
    assert "this machine's clock is 600 s ahead of the server's" in reason(story.backend().token())


def test_a_server_that_is_not_there_is_away() -> None:
    story = Story(TokenServer(NOW))
    with serving(story.server):
        pass
    assert "cannot be read: no answer (ConnectError)" in reason(story.backend().token())
    story.backends[0].close()


@pytest.mark.parametrize(
    "endpoint",
    ["http://auth.example.org/token", "ftp://auth.example.org", "/token", "https://[", 7],
)
def test_an_assertion_goes_only_where_it_is_safe(story: Story, endpoint: Any) -> None:
    story.server.token_endpoint = endpoint
    later = story.backend().token()
    assert isinstance(later, TryLater)
    assert "token endpoint" in later.reason


def test_the_older_extension_names_the_token_endpoint_too(story: Story) -> None:
    story.server.shows_configuration = False
    assert "names no token endpoint" in reason(story.backend().token())
    oauth = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
    token = {"url": "token", "valueUri": f"{story.server.root}/token"}
    security = {"extension": [{"url": oauth, "extension": [token]}]}
    story.server.statement = {
        "resourceType": "CapabilityStatement",
        "rest": [{"mode": "server", "security": security, "resource": []}],
    }
    story.later(5 * MINUTE)
    assert story.backend().token() == "token-1"


def test_scopes_are_those_we_need_and_the_server_offers_in_its_spelling(story: Story) -> None:
    story.backend().token()
    assert story.server.asked[-1]["scope"] == "system/Communication.crus system/Patient.rs"
    story.server.capabilities = ["permission-v1"]
    story.store = FakeStore()
    story.backend().token()
    assert story.server.asked[-1]["scope"] == (
        "system/Communication.read system/Communication.write system/Patient.read"
    )
    interactions = [{"code": "create"}, {"code": "read"}]
    story.server.capabilities = ["permission-v2"]
    story.server.statement = {
        "rest": [{"resource": [{"type": "Communication", "interaction": interactions}]}]
    }
    story.store = FakeStore()
    story.backend().token()
    assert story.server.asked[-1]["scope"] == "system/Communication.cr system/Patient.rs"


def test_scopes_that_are_named_are_asked_for_as_they_are(story: Story) -> None:
    story.scopes = ("system/*.read", "system/Communication.write")
    story.backend().token()
    assert story.server.asked[-1]["scope"] == "system/*.read system/Communication.write"


def test_what_is_not_granted_is_told_once(story: Story) -> None:
    story.server.grants = "system/Patient.read system/Communication.crs?category=x"
    backend = story.backend()
    with structlog.testing.capture_logs() as logs:
        backend.token()
        story.later(5 * MINUTE)
        backend.token()
    assert [each for each in logs if each["event"].startswith("ehr_scopes")] == [
        {"event": "ehr_scopes_not_granted", "scopes": ("system/Communication.u",), "log_level": "warning"}
    ]
    assert backend.missing() == ()  # what is needed for certain is there
    assert "not granted: system/Communication.u" in backend.describe()


def test_what_is_needed_for_certain_and_not_granted_is_known_at_the_next_start(story: Story) -> None:
    story.server.grants = "system/Communication.crus"
    assert story.backend().missing() == ()
    story.backend().token()
    assert story.backend().missing() == ("system/Patient.rs",)


def test_a_server_that_says_no_scope_has_granted_what_was_asked(story: Story) -> None:
    story.server.grants = ""
    backend = story.backend()
    backend.token()
    assert "all of that is granted" in backend.describe()


def test_a_person_who_asks_is_told_who_we_are_and_why_there_is_no_token(story: Story) -> None:
    assert story.backend().describe() == [
        f"SMART Backend Services: client texts at {story.server.root}/token",
        f"signs with ES384, kid {KEY.kid}",
        "asks for: system/Communication.crus system/Patient.rs",
        "all of that is granted",
    ]
    story.store = FakeStore()
    story.server.answers.append((401, {}, {"error": "invalid_client"}))
    assert "no token: the EHR gives no token (invalid_client)" in story.backend().describe()[-1]
    story.server.shows_configuration = False
    story.store = FakeStore()
    (line,) = story.backend().describe()
    assert "names no token endpoint" in line


@pytest.mark.parametrize(("expires_in", "lasts"), [(None, 240), ("300", 240), (30, 15), ("soon", 240)])
def test_short_and_odd_lives_are_understood(story: Story, expires_in: Any, lasts: int) -> None:
    story.server.expires_in = expires_in
    backend = story.backend()
    backend.token()
    story.later((lasts - 1) * SECOND)
    assert backend.token() == "token-1"
    story.later(SECOND)
    assert backend.token() == "token-2"


def test_other_needs_are_another_token(story: Story) -> None:
    backend = story.backend()
    assert backend.token() == "token-1"
    backend.need(story.needs)
    assert backend.token() == "token-1"
    more = Needs()
    more.certain["Task"] |= {"c"}
    backend.need(more)
    assert backend.token() == "token-2"
    assert story.server.asked[-1]["scope"] == "system/Task.c"


def test_a_rotated_key_is_published_at_once_and_signs_from_its_time_on(story: Story, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    first = make(file, "ES384")
    ring = story.ring = KeyRing(file.read_text(), file)
    backend = story.backend()
    story.server.jwks = published(ring.current())
    assert backend.token() == "token-1"
    second, dropped = rotate(file, story.server.now, timedelta(minutes=30))
    assert not dropped
    story.server.jwks = published(ring.current())  # the running process has seen the file change
    assert [each["kid"] for each in story.server.jwks["keys"]] == [second.kid, first.kid]
    story.later(10 * MINUTE)
    assert backend.token() == "token-2"
    story.later(20 * MINUTE)
    assert backend.token() == "token-3"
    assert [each["kid"] for each in story.server.headers] == [first.kid, first.kid, second.kid]
    story.later(DAY + MINUTE)
    third, dropped = rotate(file, story.server.now, timedelta(0))
    assert [each.kid for each in dropped] == [first.kid]
    assert [each.kid for each in ring.current()] == [third.kid, second.kid]


def test_when_the_store_is_away_there_is_no_token_and_no_crash(story: Story) -> None:
    store = FakeStore()
    story.store = store
    backend = story.backend()
    store.away = True
    later = backend.token()
    assert isinstance(later, TryLater)
    assert not later.away  # the EHR is not to blame
    store.away = False
    assert backend.token() == "token-1"
    store.away = True
    assert not backend.refused("token-1")


def test_nothing_secret_is_logged(story: Story, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"), structlog.testing.capture_logs() as logs:
        backend = story.backend()
        backend.token()
        backend.refused("token-1")
        backend.token()
        story.server.answers.append((401, {}, {"error": "invalid_client", "error_description": "Secret"}))
        backend.refused("token-2")
        story.later(5 * MINUTE)
        backend.token()
    told = f"{logs} {caplog.text} {replace(KEY)!r}"
    assert "ehr_token_refused" in told
    for secret in ("token-1", "token-2", "Secret", story.server.asked[0]["client_assertion"][:40]):
        assert secret not in told
