"""Figures of this product beside its peers' in one run: `python -m benchmarks`."""
