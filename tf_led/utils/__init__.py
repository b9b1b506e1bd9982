"""What every folder may use: output structures, memory, checks, switches."""
