"""Step "bill": what texting cost is learnt from the provider each night, and held against each budget."""
