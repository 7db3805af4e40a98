"""Axes, design points and their identities; a sweep file or a recipe read and checked."""
