"""The access token that all processes share, in every store alike."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from integration.ports.ehr_store import AccessToken
from tests.adapters.store.records import HOUR, MINUTE, NOW

if TYPE_CHECKING:
    from integration.ports.store import Store

TOKEN = AccessToken("a-secret", NOW + HOUR, "system/Patient.rs")


def test_a_token_is_kept_by_name_and_the_newest_counts(store: Store) -> None:
    with store.unit() as unit:
        assert unit.tokens.get("ehr") is None
        unit.tokens.save("ehr", TOKEN)
    newer = replace(TOKEN, value="another", scope="system/*.rs")
    with store.unit() as unit:
        assert unit.tokens.get("ehr") == TOKEN
        assert unit.tokens.get("other") is None
        unit.tokens.save("ehr", newer)
    with store.reading() as unit:
        assert unit.tokens.get("ehr") == newer


def test_one_fetches_a_new_one_until_the_lease_ends(store: Store) -> None:
    with store.unit() as unit:
        assert unit.tokens.claim_refresh("ehr", NOW, NOW + MINUTE)
        assert unit.tokens.get("ehr") is None
    with store.unit() as unit:
        assert not unit.tokens.claim_refresh("ehr", NOW + MINUTE / 2, NOW + HOUR)
        assert unit.tokens.claim_refresh("other", NOW, NOW + MINUTE)
        assert unit.tokens.claim_refresh("ehr", NOW + MINUTE, NOW + HOUR)


def test_a_new_token_ends_the_lease(store: Store) -> None:
    with store.unit() as unit:
        assert unit.tokens.claim_refresh("ehr", NOW, NOW + HOUR)
        unit.tokens.save("ehr", TOKEN)
        assert unit.tokens.claim_refresh("ehr", NOW, NOW + HOUR)
        assert unit.tokens.get("ehr") == TOKEN


def test_when_none_could_be_had_nobody_tries_before_the_rest_is_over(store: Store) -> None:
    with store.unit() as unit:
        assert unit.tokens.claim_refresh("ehr", NOW, NOW + HOUR)
        unit.tokens.rest("ehr", NOW + MINUTE)
    with store.unit() as unit:
        assert not unit.tokens.claim_refresh("ehr", NOW, NOW + HOUR)
        assert unit.tokens.claim_refresh("ehr", NOW + MINUTE, NOW + HOUR)


def test_a_refused_token_is_forgotten_unless_there_is_a_newer_one(store: Store) -> None:
    with store.unit() as unit:
        unit.tokens.save("ehr", TOKEN)
        unit.tokens.drop("ehr", "an older one")
        assert unit.tokens.get("ehr") == TOKEN
        unit.tokens.drop("ehr", TOKEN.value)
        assert unit.tokens.get("ehr") is None
        unit.tokens.drop("ehr", TOKEN.value)


def test_dropping_a_token_leaves_the_lease_of_who_fetches_the_next(store: Store) -> None:
    with store.unit() as unit:
        unit.tokens.save("ehr", TOKEN)
        assert unit.tokens.claim_refresh("ehr", NOW, NOW + HOUR)
        unit.tokens.drop("ehr", TOKEN.value)
    with store.unit() as unit:
        assert not unit.tokens.claim_refresh("ehr", NOW + MINUTE, NOW + HOUR)


def test_of_many_who_come_at_once_one_may_fetch(store: Store) -> None:
    def try_it(_: int) -> bool:
        with store.unit() as unit:
            return unit.tokens.claim_refresh("ehr", NOW, NOW + HOUR)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(try_it, range(24))) == 1
