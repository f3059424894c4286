"""Gradient-based meta-learning on Omniglot: the ideas, importable without the pipeline."""

__version__ = "0.1.0"
