"""The access token that all processes share, sealed; a lease says who fetches the next one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from integration.adapters.store.tables.columns import to_time
from integration.adapters.store.tables.ehr import access_tokens as _rows
from integration.ports.ehr_store import AccessToken

if TYPE_CHECKING:
    from datetime import datetime

    from integration.adapters.store.work import Work

FREE = to_time(0)  # nobody is at it
_SEALED = "access_tokens.sealed_token"
_TIME = _rows.c.refreshed_until.type
_THIS_ONE = _rows.c.name == sa.bindparam("wanted")

_GET = sa.select(_rows).where(_THIS_ONE)
_LOCK = _GET.with_for_update()
_ADD = insert(_rows).on_conflict_do_nothing(index_elements=["name"])
_CLAIM = (
    _rows.update()
    .where(_THIS_ONE, _rows.c.refreshed_until <= sa.bindparam("now", type_=_TIME))
    .values(refreshed_until=sa.bindparam("until", type_=_TIME))
)
_NEW = insert(_rows)
_SAVE = _NEW.on_conflict_do_update(
    index_elements=["name"],
    set_={name: _NEW.excluded[name] for name in ("sealed_token", "expires_at", "scope", "refreshed_until")},
)
_REST = _rows.update().where(_THIS_ONE).values(refreshed_until=sa.bindparam("until", type_=_TIME))
_DROP = _rows.update().where(_THIS_ONE).values(sealed_token=None, expires_at=None)


class SqlTokenRows:
    """See `integration.ports.ehr_store.TokenRows`."""

    def __init__(self, work: Work) -> None:
        self._work = work

    def get(self, name: str) -> AccessToken | None:
        """Unsealed."""
        return self._token(_GET, name)

    def claim_refresh(self, name: str, now: datetime, lease_until: datetime) -> bool:
        """The row is made first, so that two who are the first meet in it."""
        self._work.run(_ADD, {"name": name, "scope": "", "refreshed_until": FREE})
        leased = self._work.run(_CLAIM, {"wanted": name, "now": now, "until": lease_until})
        return leased.rowcount == 1

    def save(self, name: str, token: AccessToken) -> None:
        """Sealed."""
        self._work.run(
            _SAVE,
            {
                "name": name,
                "sealed_token": self._work.seal(_SEALED, token.value),
                "expires_at": token.expires_at,
                "scope": token.scope,
                "refreshed_until": FREE,
            },
        )

    def rest(self, name: str, until: datetime) -> None:
        """As a lease that nobody holds."""
        self._work.run(_REST, {"wanted": name, "until": until})

    def drop(self, name: str, value: str) -> None:
        """Compared unsealed: the same token is sealed otherwise each time."""
        kept = self._token(_LOCK, name)
        if kept is not None and kept.value == value:
            self._work.run(_DROP, {"wanted": name})

    def _token(self, query: sa.Select[tuple[object, ...]], name: str) -> AccessToken | None:
        row = self._work.row(query, {"wanted": name})
        value = None if row is None else self._work.read(_SEALED, row.sealed_token)
        return None if row is None or value is None else AccessToken(value, row.expires_at, row.scope)
