"""What a comparison may say, and the page, text and tables that say it."""
