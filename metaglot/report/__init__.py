"""What a comparison may say, and the page, text and tables that say it.

It reads records and scores only; no network runs here.
"""
