"""Axes, design points and their identities; a sweep file read and checked."""
