"""One file per foreign thing: a database, an SMS provider, an EHR."""
