"""`python -m lepbench` is the same as the `lepbench` command."""

from lepbench.cli.app import main

main()
