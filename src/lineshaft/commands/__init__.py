"""What the commands of the command line do; cli.py declares them and imports each one when it is called."""
