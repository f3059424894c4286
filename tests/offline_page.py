"""A page of ours in Chromium: opened from disk, without a network."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect


@contextmanager
def opened(browser: Browser, path: Path, width: int = 1440, scheme: str = "light", **options: Any) -> Iterator[Page]:
    """The page off line; whatever it asks for or complains about fails the test."""
    viewport = {"width": width, "height": 1000}
    context = browser.new_context(viewport=viewport, color_scheme=scheme, offline=True, **options)
    page, heard = context.new_page(), []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda request: heard.append(request.url))
    page.goto(path.as_uri())
    if options.get("java_script_enabled", True):
        expect(page.locator(".chart:not([data-drawn])")).to_have_count(0, timeout=30_000)
    yield page
    assert [output for output in heard if not output.startswith(("data:", "blob:"))] == [path.as_uri()]
    context.close()


@contextmanager
def with_scripts(browser: Browser, content: str) -> Iterator[Page]:
    """An empty page with scripts of ours."""
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.add_script_tag(content=content)
    yield page
    context.close()
