"""Errors, atomic files, records and the sections of configs that all packages share.

What only one stage reads, writes or is configured by lives in that stage's package.
"""
