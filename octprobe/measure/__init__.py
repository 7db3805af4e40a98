"""Latency, memory and device time of one group of design points."""
