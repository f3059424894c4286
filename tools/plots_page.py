"""Let `dvc plots show` write a page that opens without a network: the charts' JavaScript is in it.

    python tools/plots_page.py

Writes .dvc/plots_page.html and names it in .dvc/config.local; git ignores both. An html_template that the user set
stays.
"""

import subprocess
import sys
from pathlib import Path

import vl_convert

PAGE = Path(".dvc/plots_page.html")
OPTION = "plots.html_template"
VEGA_LITE = "5.20"  # the last one of the version that the templates in .dvc/plots are written for
GLOBALS = "window.vegaEmbed = vegaEmbed; window.vega = vega; window.vegaLite = vegaLite;"  # DVC's charts call these


def main() -> None:
    script = vl_convert.javascript_bundle(GLOBALS, vl_version=VEGA_LITE).replace("</script", "<\\/script")
    PAGE.write_text(
        f'<!DOCTYPE html>\n<html>\n<head>\n<meta charset="utf-8">{{refresh_tag}}\n<title>DVC Plot</title>\n'
        f"<script>{script}</script>\n<style>table {{ border-spacing: 15px; }}</style>\n</head>\n"
        "<body>\n{plot_divs}\n</body>\n</html>\n",
        encoding="utf-8",
    )
    if not dvc("config", OPTION):
        dvc("config", "--local", OPTION, PAGE.name)


def dvc(*arguments: str) -> str:
    """Run DVC, and return what it prints."""
    command = [sys.executable, "-m", "dvc", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


if __name__ == "__main__":
    main()
