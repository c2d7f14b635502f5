"""One message as the writers of the inbox take it: the columns of `inbox`, in their order, sealed."""

Row = tuple[str, str, bytes, bytes, int, str, str | None]
