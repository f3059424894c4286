"""What every training and every test computes with; a change here makes all of them stale.

Nothing that only a data set, a test metric, the report or MLflow needs may live here.
"""
