"""SMS providers, one file each, with `build(settings)`."""
