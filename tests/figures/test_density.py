"""Counts over a grid: every point once, and in its place."""

import numpy as np

from octprobe.figures.density import density_of, heat


def test_every_point_is_counted_once_in_its_place() -> None:
    """The ends of both axes lie in the first and the last place."""
    one, other = (np.array([0.0, 0.0, 10.0]), np.array([0.0, 0.0, 5.0])), (np.array([10.0]), np.array([0.0]))
    found = density_of([one, other])
    assert (found.counts[0][0], found.counts[0][-1], found.counts[-1][-1]) == (2, 1, 1)
    assert sum(map(sum, found.counts)) == 4
    assert np.allclose(found.x[0], 10 / 80 / 2)
    assert np.allclose(found.y[-1], 5 - 5 / 50 / 2)


def test_a_place_without_points_stays_empty() -> None:
    """One point is no darkness at all, none is no colour."""
    drawn = heat(density_of([(np.array([0.0, 1.0]), np.array([0.0, 1.0]))]))
    assert drawn.z[0][0] == 0
    assert drawn.z[0][-1] is None
