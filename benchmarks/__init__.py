"""What a check costs, beside nginx and HAProxy in the same minutes: `python -m benchmarks`.

Nothing here is a test: figures are printed, never asserted.
"""
