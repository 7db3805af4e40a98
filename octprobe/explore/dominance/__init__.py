"""Which points stand on a front: parted by what is given, told apart by dominance and noise."""
