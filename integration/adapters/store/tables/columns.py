"""What the columns and indexes of all tables are made of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
import sqlalchemy as sa

if TYPE_CHECKING:
    from collections.abc import Collection

metadata = sa.MetaData(
    naming_convention={
        "pk": "%(table_name)s_pk",
        "fk": "%(table_name)s_%(column_0_name)s_fk",
        "uq": "%(table_name)s_%(column_0_N_name)s_uq",
    }
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

_Words = TypeVar("_Words", bound=StrEnum)


def to_milliseconds(time: datetime) -> int:
    """Milliseconds since 1970; what is left of one is cut off. A time without an offset is refused."""
    if time.tzinfo is None:
        raise ValueError("a time without an offset cannot be stored")
    return (time - _EPOCH) // _MILLISECOND


def to_time(milliseconds: int) -> datetime:
    """The time, aware, in UTC."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def as_stored(time: datetime | None) -> datetime | None:
    """The time as it would come back."""
    return None if time is None else to_time(to_milliseconds(time))


class Instant(sa.types.TypeDecorator[datetime]):
    """A moment: aware in Python, milliseconds since 1970 in the store."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> int | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Into the store."""
        return None if value is None else to_milliseconds(value)

    def process_result_value(self, value: Any | None, dialect: sa.Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Out of the store."""
        return None if value is None else to_time(value)


class Ids(sa.types.TypeDecorator[tuple[int, ...]]):
    """Ids in their order, as a JSON list in the store."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Collection[int] | None, dialect: sa.Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Into the store."""
        return None if value is None else orjson.dumps(list(value)).decode()

    def process_result_value(self, value: Any | None, dialect: sa.Dialect) -> tuple[int, ...] | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Out of the store."""
        return None if value is None else tuple(orjson.loads(value))


class Word(sa.types.TypeDecorator[_Words]):
    """One word of a vocabulary of ours, spelled out."""

    impl = sa.Text
    cache_ok = True

    def __init__(self, vocabulary: type[_Words]) -> None:
        super().__init__()
        self.vocabulary = vocabulary

    def process_bind_param(self, value: _Words | None, dialect: sa.Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Into the store; a word of no vocabulary is refused."""
        return None if value is None else self.vocabulary(value).value

    def process_result_value(self, value: Any | None, dialect: sa.Dialect) -> _Words | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Out of the store."""
        return None if value is None else self.vocabulary(value)


def own_id() -> sa.Column[int]:
    """The row's own number; grows, and is never given twice."""
    return sa.Column("id", BIG, primary_key=True)


def revision() -> sa.Column[int]:
    """Grows by one whenever the row is written, so that a writer can tell that another came before."""
    return sa.Column("revision", sa.Integer, nullable=False, server_default="1")


def to(target: str, name: str, **options: Any) -> sa.Column[Any]:
    """A column that refers to a row of another table, which must be there."""
    kind: Any = sa.LargeBinary if target == "numbers.number_hash" else BIG
    return sa.Column(name, kind, sa.ForeignKey(target, use_alter=options.pop("use_alter", False)), **options)


# SQLite numbers rows only in columns declared INTEGER; there, too, they have 64 bits.
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def plain_word(word: str) -> sa.ColumnElement[Any]:
    """A word of ours as SQL text: a partial index is used only where its condition is spelled out."""
    return sa.literal_column(f"'{word}'")


def one_of(column: sa.Column[Any], words: Collection[str]) -> sa.ColumnElement[bool]:
    """Whether the column holds one of these words, spelled out as SQL text."""
    return column.in_([plain_word(word) for word in sorted(words)])


def partial_index(
    name: str, *columns: sa.Column[Any], where: sa.ColumnElement[bool], unique: bool = False
) -> sa.Index:
    """An index over the rows for which `where` holds."""
    return sa.Index(name, *columns, unique=unique, postgresql_where=where, sqlite_where=where)
