"""The parts of a comparison: its two sides, one change a point, and what stands apart."""
