"""draw.html: one file, one script by its hash, and no text of a file that could end its data."""

import base64
import hashlib
import json
import re
from contextlib import chdir
from pathlib import Path

from finished_pipeline import finished

from metaglot.report.draw_page.networks import read_networks
from metaglot.report.draw_page.render import render_draw_page
from stages.support import paths


def render(folder: Path, **options) -> str:
    _, runs = finished(folder, tests=40, **options)
    with chdir(folder):
        return render_draw_page(runs, read_networks(runs, paths.weights))


def test_the_policy_allows_the_page_s_own_script_and_nothing_else(tmp_path: Path):
    page = render(tmp_path)
    policy = re.findall('Content-Security-Policy" content="([^"]*)"', page)[0]
    script = re.findall('<script type="module">(.*?)</script>', page, re.DOTALL)[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy.startswith("default-src 'none';") and f"script-src 'sha256-{digest}'" in policy
    assert not re.search(r'(src|href)="(?!data:)', page)


def test_a_label_cannot_end_the_data(tmp_path: Path):
    page = render(tmp_path, labels={"maml": "</script><script>alert(1)</script>"})
    assert page.count("<script") == 2
    data = json.loads(re.findall('id="data">(.*?)</script>', page)[0])
    assert data["networks"][0]["name"].startswith("</script>")
