"""A result store in a browser: `streamlit run app/streamlit_app.py -- results/quickstart`.

The store is the argument after `--`, else the environment variable OCTPROBE_STORE.
"""

from pathlib import Path
from typing import Any

import charts
import data
import first_visit
import streamlit as st
import watch

from octprobe.errors import OctprobeError
from octprobe.store.snapshot import snapshot

_PAGES = (
    ("overview", "Overview", "grid_view", "What was swept, what failed, on what machine, and the headline."),
    ("front", "Front", "show_chart", "The points that nothing beats on two objectives; a point in detail."),
    ("choose", "Choose", "tune", "Which network and alpha to take under budgets, and what binds."),
    ("layers", "Layers", "grid_on", "Which single layers gain: speed-up over channels and resolution."),
    ("why", "Why", "search", "Where a call's time goes, by octave path and layer."),
    ("compare", "Compare", "compare_arrows", "What changed between two environments, sweeps or dates."),
    ("rows", "Rows", "table_rows", "The rows themselves, to filter and to download as CSV or parquet."),
)


def show(page: Any) -> None:
    """Run a page on the store; what is wrong with it is said in one line.

    Texts of errors are shown plainly: they may quote a folder's name, and that is never markup.
    """
    try:
        if data.has_rows():
            _run(page)
        elif _offers_demo():
            st.caption("These rows are the demonstration's, not those of a store of yours.")
            watch.await_rows()
            _run(page)
        else:
            first_visit.explain()
    except OctprobeError as error:
        charts.say(str(error))


def _run(page: Any) -> None:
    with st.sidebar:
        watch.watch(data.current())
    page.run()


def _offers_demo() -> bool:
    """Say what is wrong with the store that was named, and offer the demonstration; say if it is on."""
    path = data.named_store()
    try:
        if path is not None:
            snapshot(path)
    except OctprobeError as error:
        charts.say(str(error))
    return first_visit.offer_demo()


st.set_page_config(page_title="octprobe", page_icon=str(Path(__file__).with_name("icon.svg")), layout="wide")
chosen = st.navigation(
    [
        st.Page(f"app_pages/{name}.py", title=title, icon=f":material/{icon}:", help=told)
        for name, title, icon, told in _PAGES
    ],
    position="top",
)
st.title(f"octprobe: {chosen.title}")
show(chosen)
