"""The steps; additive first, subtractive a release later."""
