"""Paired comparisons of algorithms: differences, significance, families of comparisons.

Intervals of one network live in metaglot/evaluation/confidence_intervals.py; no text for people here.
"""
