"""tools/arrows says what runs against the tables, and nothing else."""

import pathlib
import subprocess

import pytest

TOOL = pathlib.Path(__file__).parent / "arrows"
ROOT = TOOL.parent.parent

TABLES = """
| room | does | may include |
|---|---|---|
| `core/base` | | nothing |
| `core/http` | | `core/base` |
| `io/os` | | `core/base` |
| `io/front` | | `core` `io/os` |
| `programs` | | `everything` |

| headers | may be included by |
|---|---|
| `sys/` `unistd.h` | `io/os` |
| `thread` | `io` `programs` |
"""


@pytest.fixture
def tree(tmp_path):
    """A tree of one file per call, checked at once."""
    (tmp_path / "ARCHITECTURE.md").write_text(TABLES)

    def check(path: str, text: str):
        file = tmp_path / "src" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return subprocess.run([TOOL, tmp_path], capture_output=True, text=True, check=False)

    return check


@pytest.mark.parametrize(
    ("path", "include"),
    [
        ("core/http/head.cpp", '"core/base/error.hpp"'),
        ("core/http/head.cpp", '"core/http/head.hpp"'),
        ("core/http/head.cpp", "<string_view>"),
        ("io/front/client.cpp", '"core/http/head.hpp"'),
        ("io/front/client.cpp", "<thread>"),
        ("io/os/socket.cpp", "<sys/socket.h>"),
        ("io/front/client_test.cpp", "<sys/socket.h>"),
        ("programs/batond/main.cpp", '"io/front/client.hpp"'),
    ],
)
def test_an_include_along_the_arrows_passes(tree, path, include):
    result = tree(path, f"#include {include}\n")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("path", "include", "complaint"),
    [
        ("core/base/error.hpp", '"core/http/head.hpp"', "core/base may not include core/http"),
        ("core/http/head.cpp", '"io/os/fd.hpp"', "core/http may not include io/os"),
        ("io/os/socket.cpp", '"io/front/client.hpp"', "io/os may not include io/front"),
        ("core/base/error_test.cpp", '"io/os/fd.hpp"', "core/base may not include io/os"),
        ("io/front/client.cpp", "<sys/socket.h>", "io/os only"),
        ("io/front/client.cpp", "<unistd.h>", "io/os only"),
        ("programs/batond/main.cpp", "<unistd.h>", "io/os only"),
        ("core/http/head.cpp", "<thread>", "io, programs only"),
        ("core/http/head.cpp", '"head.hpp"', "does not name a room"),
    ],
)
def test_an_include_against_the_arrows_is_named_with_its_line(tree, path, include, complaint):
    result = tree(path, f"// one\n#include {include}\n")
    assert result.returncode == 1
    assert f"src/{path}:2: " in result.stderr
    assert complaint in result.stderr


def test_a_folder_without_a_row_is_named(tree):
    result = tree("core/magic/wand.cpp", "")
    assert result.returncode == 1
    assert "in no room" in result.stderr


def test_tables_whose_arrows_run_in_a_circle_are_refused(tree, tmp_path):
    circle = TABLES.replace("| nothing |", "| `core/http` |")
    (tmp_path / "ARCHITECTURE.md").write_text(circle)
    result = tree("core/base/error.hpp", "")
    assert result.returncode == 1
    assert "core/base -> core/http -> core/base" in result.stderr


def test_a_missing_table_is_no_success(tree, tmp_path):
    (tmp_path / "ARCHITECTURE.md").write_text("# Nothing here\n")
    result = tree("core/base/error.hpp", "")
    assert result.returncode == 1
    assert "no table" in result.stderr


def test_the_tables_of_this_tree_can_be_read():
    """Not that the tree is clean (that is `make lint`), but that its tables are in order."""
    result = subprocess.run([TOOL, ROOT], capture_output=True, text=True, check=False)
    assert "no table" not in result.stderr
    assert "circle" not in result.stderr
    assert "which is no room" not in result.stderr
