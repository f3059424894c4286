"""Few-shot meta-learning: data sets, algorithms, training, evaluation, report; importable without the pipeline.

No module here reads params.yaml by itself or imports `stages`.
"""

__version__ = "0.1.0"
