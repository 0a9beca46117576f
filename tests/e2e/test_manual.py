"""The reference pages that come from the table of commands are up to date."""

import subprocess
from pathlib import Path

import pytest

from harness.daemon import bin_dir

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("page", ["commands", "configuration"])
def test_the_page_is_what_the_table_says(page):
    made = subprocess.run([bin_dir() / "baton", "--manual", page], capture_output=True, text=True,
                          check=True, timeout=60).stdout
    written = (ROOT / "docs/reference" / f"{page}.md").read_text()
    assert made == written, "run tools/generate_manual"
