"""A telephone network and an EHR to try the product with: loopback only, no account needed."""
