"""`python -m tests.mutants [WORD ...]`; see tests/mutants/run.py. Each child process imports this module again."""

import sys

if __name__ == "__main__":
    from tests.mutants.run import main

    sys.exit(main(sys.argv[1:]))
