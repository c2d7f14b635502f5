"""All tables together."""

from integration.adapters.store.tables import (  # noqa: F401 - they fill it
    answers,
    chart,
    conversation,
    ehr,
    people,
    requests,
    site,
    texts,
    upkeep,
    visits,
)
from integration.adapters.store.tables.columns import metadata

__all__ = ["metadata"]
