"""The process of the local AWS account: MiniStack with our patches. It ends with its parent, and so do its functions.

python -m mailstep_local.emulator DIRECTORY SMTP_PORT [HOST ...] < a pipe that the parent holds open

With MAILSTEP_LOCAL_CONCURRENCY=N, the account has N concurrent executions of functions, as a new AWS account has few.
With MAILSTEP_LOCAL_RULES=off, for debugging only, it accepts calls that AWS would refuse (mailstep_local/rules/).
"""

import os
import sys
from pathlib import Path

from ministack.app import main

from mailstep_local import lambda_runtime, patches
from mailstep_local.processes import end_with_parent

if __name__ == "__main__":
    directory = Path(sys.argv[1])
    end_with_parent()
    patches.apply(
        bootstrap=lambda_runtime.lay_out(directory / "runtime"),
        run=directory,
        smtp_port=int(sys.argv[2]),
        allowed_hosts=sys.argv[3:],
        rules=os.environ.get("MAILSTEP_LOCAL_RULES") != "off",
        account_concurrency=int(os.environ.get("MAILSTEP_LOCAL_CONCURRENCY", patches.CONCURRENCY)),
    )
    sys.argv = ["ministack"]
    main()
