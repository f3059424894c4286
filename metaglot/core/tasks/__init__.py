"""Which classes are trained, validated and tested on, and how tasks are sampled from them.

Where the images come from and what is learned from a task may not live here.
"""
