"""Processes that end with the one that started them, however that ended."""

import os
import signal
import sys
import threading


def end_with_parent() -> None:
    """Kill this process group once standard input closes: the parent, which holds the other end, is gone."""

    def watch() -> None:
        while sys.stdin.buffer.read(1):
            pass
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
