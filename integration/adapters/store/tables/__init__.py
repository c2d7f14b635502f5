"""The one schema, on SQLite and PostgreSQL alike, cut by theme.

Times are milliseconds since 1970 in UTC. Columns named `sealed_…` hold
AES-GCM boxes, columns named `…_hash` the first 16 bytes of an HMAC-SHA256
(`keys.py`). Constraints are the promises: what must never be there twice
cannot be there twice.
"""
