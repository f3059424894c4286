"""What MLflow shows of a run, and how it is published: the only package that imports mlflow.

Nothing is computed here; it reads the records of training and evaluation.
"""
