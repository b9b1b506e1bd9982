"""The `tf-led` command, one file per sub-command."""
