"""The command language as people and their programs meet it: tools, clients of Redis, files."""

import subprocess

from harness.daemon import bin_dir
from harness.terminal import Terminal
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


# -- the operator's tool

def test_the_tool_says_by_its_status_what_went_wrong(baton):
    baton.start("")
    assert baton.tool("-c", "services").returncode == 0
    assert baton.tool("-c", "worker 99").returncode == 1
    assert baton.tool("-c", "'unclosed").returncode == 1
    assert baton.tool("--nonsense").returncode == 64
    assert run("baton", "-s", str(baton.folder / "none"), "-c", "services").returncode == 2
    assert run("batond", "--nonsense").returncode == 64


def test_the_tool_fails_when_nobody_gets_the_answer(baton):
    baton.start("")
    with open("/dev/full", "w") as full:
        ended = subprocess.run([bin_dir() / "baton", "-s", str(baton.socket), "-c", "help"],
                               stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr == "baton: the answer cannot be written: No space left on device\n"


def test_commands_of_a_file_run_until_one_fails(baton):
    baton.start("")
    file = baton.folder / "lines"
    file.write_text("config service a\n# a comment\nconfig service \\\n  b\nworker 99\nconfig service c\n")
    ended = baton.tool("-f", str(file))
    assert ended.returncode == 1
    assert ended.stdout == "Ok.\nOk.\n"
    assert ended.stderr.startswith(f"{file}:5: worker: there is no worker 99; ")
    assert [row["name"] for row in baton.json("services")] == ["b", "a", "op"]

    folder = baton.tool("-f", str(baton.folder))
    assert folder.returncode == 1
    assert f"{baton.folder} cannot be read: Is a directory; " in folder.stderr


def test_standard_input_that_is_no_terminal_is_a_file(baton):
    baton.start("")
    for options in [[], ["-f", "-"]]:
        ended = run("baton", "-s", str(baton.socket), *options, input="ping\nrazma\nping\n")
        assert ended.returncode == 1
        assert ended.stdout == "PONG\n"
        assert ended.stderr == "-:2: unknown command 'razma'; 'help' lists the commands\n"


def test_the_tool_names_its_default_socket_once(tmp_path):
    said = run("baton", "--help", env={"BATON_SOCKET": "/x/y"}).stdout
    assert "$BATON_SOCKET if it is set; now /x/y)" in " ".join(said.split())


# -- the prompt

def prompt(baton) -> Terminal:
    terminal = Terminal(str(bin_dir() / "baton"), "-s", str(baton.socket),
                        XDG_STATE_HOME=str(baton.folder))
    terminal.wait_for("baton> ")
    return terminal


def test_the_prompt_completes_words_of_the_language_and_of_the_daemon(baton):
    baton.start("config service thumbs")
    with prompt(baton) as terminal:
        terminal.type("list\t\t")
        terminal.wait_for("listeners")
        assert "listevents" in terminal.wait_for("baton> ")
        terminal.enter("\x15")
        terminal.type("start th\t")
        terminal.wait_for("thumbs ")
        assert "Ok." in terminal.enter("")
        terminal.type("exit\n")
        assert terminal.process.wait(LIMIT_SECONDS) == 0
    assert baton.json("service thumbs")["started"]


def test_the_prompt_keeps_its_history_for_the_next_time(baton):
    baton.start("")
    with prompt(baton) as terminal:
        assert "PONG" in terminal.enter("ping")
    with prompt(baton) as terminal:
        terminal.type("\x1b[A")
        terminal.wait_for("ping")
        assert "PONG" in terminal.enter("")


def test_ctrl_c_at_the_prompt_leaves_the_line_and_not_the_program(baton):
    baton.start("")
    with prompt(baton) as terminal:
        assert "PONG" in terminal.enter("ping")
        terminal.type("terminate\x03")
        terminal.wait_for("^C")
        terminal.wait_for("baton> ")
        assert "PONG" in terminal.enter("ping")
        terminal.type("\x04")
        assert terminal.process.wait(LIMIT_SECONDS) == 0
