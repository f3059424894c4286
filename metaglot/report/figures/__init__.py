"""The charts of the page as inline SVG, one question a file.

Their numbers come from the comparison; the look is in svg_chart.py.
"""
