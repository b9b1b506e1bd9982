"""What a call is given: sorted by name and checked, once."""
