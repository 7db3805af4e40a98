"""Figures: each gathers what it shows, then plots it."""
