"""`python -m lineshaft` is the same as the command `lineshaft`."""

from lineshaft.cli import main

main()
