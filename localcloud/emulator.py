"""The process that is the AWS account: MiniStack with our patches, ending itself and its functions with its parent.

python -m localcloud.emulator DIRECTORY SMTP_PORT < a pipe that the parent holds open
"""

import os
import signal
import sys
import threading
from pathlib import Path

from ministack.app import main

from localcloud import lambda_runtime, patches


def _end_with_parent() -> None:
    """Kill the process group once standard input closes: the parent is gone, however it went."""
    while sys.stdin.buffer.read(1):
        pass
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    directory = Path(sys.argv[1])
    threading.Thread(target=_end_with_parent, daemon=True).start()
    patches.apply(
        bootstrap=lambda_runtime.lay_out(directory / "runtime"),
        outbox=directory / "outbox",
        smtp_port=int(sys.argv[2]),
    )
    sys.argv = ["ministack"]
    main()
