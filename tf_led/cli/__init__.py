"""The `tf-led` command, one file per sub-command.

A sub-command is a module with `HELP` (one line), `EXAMPLES`, `add_arguments(parser)`
and `run(args)`, named in `tf_led.cli.main.COMMANDS`. It imports TensorFlow inside `run`
only, so that help and a user's mistake are answered at once.
"""
