"""Scores on the test tasks: the list of metrics, their computation, confidence intervals, the result's file.

No training may import it, so that a new test metric makes no training stale.
"""
