"""A program at a terminal, typed at and read."""

import fcntl
import os
import pathlib
import pty
import re
import select
import subprocess
import termios
import time

from .waiting import LIMIT_SECONDS

# What the library of the prompt leaks is not ours; to see whose it is takes the slow unwinder.
SANITIZERS = {"ASAN_OPTIONS": "fast_unwind_on_malloc=0",
              "LSAN_OPTIONS": "print_suppressions=0:suppressions="
                              + str(pathlib.Path(__file__).with_name("libedit.supp"))}
ESCAPE = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\r|\x07")


class Terminal:
    """Runs a program with a terminal of its own; `shown` is what it has written, without escapes."""

    def __init__(self, *command: str, **environment: str):
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            env=os.environ | SANITIZERS | {"TERM": "xterm"} | environment,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        self.shown = ""
        self._read = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self._master)

    def type(self, keys: str):
        os.write(self._master, keys.encode())

    def wait_for(self, text: str) -> str:
        """What was shown from the last wait_for() up to `text`, with it."""
        deadline = time.monotonic() + LIMIT_SECONDS
        while text not in self.shown[self._read:]:
            readable, _, _ = select.select([self._master], [], [], deadline - time.monotonic())
            assert readable, f"waited in vain for {text!r} after {self.shown[self._read:]!r}"
            self.shown += ESCAPE.sub(b"", os.read(self._master, 4096)).decode()
        begin, self._read = self._read, self.shown.index(text, self._read) + len(text)
        return self.shown[begin:self._read]

    def enter(self, line: str, prompt: str = "baton> ") -> str:
        """Types a line at a prompt; what is shown until the next prompt."""
        self.type(line + "\n")
        return self.wait_for(prompt)
