"""What the pipeline asks of the world; adapters and fakes answer."""
