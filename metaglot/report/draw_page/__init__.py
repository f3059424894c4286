"""draw.html: a page on which the reader draws characters and trained networks adapt to them, in plain JavaScript.

scripts/ holds the page's modules. No network runs in Python here: records, weights and glyphs go into the page as data.
"""
