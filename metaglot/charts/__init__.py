"""Vega-Lite charts, shared by the report, DVC's plots and MLflow's pictures.

A chart is specified once, with Vega-Altair. The report and DVC draw it in the reader's browser; MLflow gets a PNG.
"""
