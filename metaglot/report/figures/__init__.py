"""The figures of the page, one file for each question.

Their numbers come from the comparison; charts/ has what DVC's plots and MLflow draw too, figure.py the page's colours.
"""
