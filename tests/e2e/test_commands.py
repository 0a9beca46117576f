"""The command language as people and their programs meet it: tools, clients of Redis, files."""

import subprocess

from harness.daemon import bin_dir
from harness.waiting import LIMIT_SECONDS


def run(program: str, *arguments: str, **options) -> subprocess.CompletedProcess:
    """A program of this build, on its own."""
    return subprocess.run([bin_dir() / program, *arguments], capture_output=True, text=True,
                          timeout=LIMIT_SECONDS, check=False, **options)


# -- files

def test_a_folder_given_as_a_configuration_is_named_with_what_to_do(tmp_path):
    checked = run("batond", "--check", str(tmp_path))
    assert checked.returncode == 1
    assert checked.stderr == (f"{tmp_path} cannot be read: Is a directory; "
                              "name a configuration file of at most 4 MiB\n")
    started = run("batond", "--socket", str(tmp_path / "s"), str(tmp_path))
    assert started.returncode == 1
    assert f"{tmp_path} cannot be read: Is a directory; name a file" in started.stderr


def test_a_missing_configuration_is_named_with_the_reason(tmp_path):
    checked = run("batond", "--check", str(tmp_path / "none"))
    assert checked.returncode == 1
    assert f"{tmp_path}/none cannot be read: No such file or directory; " in checked.stderr
