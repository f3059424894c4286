"""The charts of the page as inline SVG, one file for each question.

Their numbers come from the comparison; their style is in svg_chart.py.
"""
