"""The doors: command line, web, workers."""
