"""The original study's conclusions: the evidence for each, and the verdict that follows from it.

Statistics live in report/statistics, the study's numbers in report/original_study.py.
"""
