"""What the rows say: the front, verdicts, the fastest alpha."""
