"""Networks as functions of their weights, per-task weights that stay cheap, and their kernels in C.

It knows no tasks, no algorithms and no files of ours.
"""
