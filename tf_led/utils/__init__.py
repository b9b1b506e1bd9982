"""What every room may use: output structures, memory, checks, switches."""
