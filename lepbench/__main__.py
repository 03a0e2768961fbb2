"""`python -m lepbench` is the same as the `lepbench` command."""

import sys

# pip refuses an older Python; a checkout that is run in place must do so itself.
if sys.version_info < (3, 11):  # noqa: UP036
    print(f"lepbench: Python {sys.version.split()[0]} is too old; use 3.11 or newer", file=sys.stderr)
    sys.exit(2)

from lepbench.cli.app import main

main()
