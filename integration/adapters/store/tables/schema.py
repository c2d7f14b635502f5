"""All tables together."""

from integration.adapters.store.tables import answers, chart, conversation, people, texts, upkeep, visits  # noqa: F401 - they fill it
from integration.adapters.store.tables.columns import metadata

__all__ = ["metadata"]
