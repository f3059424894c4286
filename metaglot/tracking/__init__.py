"""What MLflow shows of a run, and how it is published.

Nothing is computed here; it reads the records of training and evaluation. Only this package and
inference/mlflow_model.py import mlflow.
"""
