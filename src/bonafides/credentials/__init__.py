"""The write side of proof: how credentials are issued, changed and ended."""
