"""The charts of the page, one question each."""
