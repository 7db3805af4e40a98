"""What a person sees before there are results: the commands that make some, or a demonstration."""

import contextlib
import shlex

import charts
import data
import streamlit as st
import watch

from octprobe.errors import OctprobeError
from octprobe.store.snapshot import snapshot


def explain() -> None:
    """Say how to come to rows: without a store, or with one that holds none."""
    path = data.named_store()
    if path is None:
        _without_store()
        return
    with contextlib.suppress(OctprobeError):  # one that is not there has been told of
        store = snapshot(path)
        st.info("The store holds no rows yet. Run a sweep into it; its points show here as they arrive.")
        charts.say(*data.damaged(store))
        with st.sidebar:
            watch.watch(store)
    charts.command("octprobe", "sweep", "sweeps/quickstart.yaml", "--store", shlex.quote(path))


def _without_store() -> None:
    st.info("No store is named. A store is the folder that a sweep writes its rows to.")
    st.write("Measure a small one on this machine (a few minutes):")
    charts.command("octprobe sweep sweeps/quickstart.yaml")
    st.write("Then look at it here:")
    charts.command("octprobe dashboard results/quickstart")


def offer_demo() -> bool:
    """Offer the store that travels with the package, whose rows name the machine and day; say if it is on."""
    return bool(
        st.toggle(
            "Show a demonstration: a small store, really measured; its machine is named under Environments",
            key=data.DEMO,
            bind="query-params",
        )
    )
