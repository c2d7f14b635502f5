"""A year in the life of three practices, stepped through against an oracle that knows what was true when."""
