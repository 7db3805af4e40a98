"""`python -m octprobe`."""

from octprobe.commands.main import main

main()
