"""Data sets: where their images come from, and how they are read; one file each, and a registry.

What a task or a training is may not live here: no training depends on this package.
"""
