"""Experiments beyond the default run: their params, their committed numbers, and the pages made from these."""
