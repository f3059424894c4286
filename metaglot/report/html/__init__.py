"""index.html: the page, its templates and the gallery of drawings.

Texts and tables come from report/, charts from report/figures; nothing is computed here.
"""
