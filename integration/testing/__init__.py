"""Fakes that ship: they implement the ports and pass the same suites as the real adapters."""
