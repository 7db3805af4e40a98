"""The parts of a recommendation: what was asked, what may be compared, what binds, what weakens it."""
