"""The manual pages name the options that the programs have: all of them, and no others."""

import os
import pathlib
import re
import subprocess

import pytest

PAGES = pathlib.Path(__file__).parent / "man"
PROGRAMS = pathlib.Path(os.environ.get("BATON_BIN_DIR", PAGES.parent.parent / "build/release/bin"))


@pytest.mark.parametrize("page", ["baton.1", "baton-adopt.1", "batond.8", "baton-agent.8"])
def test_page_and_help_name_the_same_options(page):
    program = PROGRAMS / pathlib.Path(page).stem
    if not program.exists():
        pytest.skip(f"{program} is not built")
    said = subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout
    has = set(re.findall(r"^ +(?:-\w,)?(--[a-z-]+)", said, re.MULTILINE)) - {"--help"}
    options = (PAGES / page).read_text().partition(".SH OPTIONS")[2].partition(".SH")[0]
    named = set(re.findall(r"--[a-z-]+", options.replace("\\-", "-")))
    assert has and named == has
