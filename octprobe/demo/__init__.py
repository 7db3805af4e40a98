"""A small store of real measurements that travels with the package, for a first look at the dashboard."""

from pathlib import Path


def demo_store() -> Path:
    """Give the folder of the demonstration's store; its rows name the machine and the time of each point."""
    return Path(__file__).parent / "store"
