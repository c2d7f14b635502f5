"""One message as the inbox's writers take it: the columns of `inbox`, in their order, encrypted and hashed."""

Row = tuple[str, str, bytes, bytes, int, str, str | None]
