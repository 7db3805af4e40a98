"""What was swept, what failed, on what machine, and what is the headline?"""

import charts
import data
import state
import streamlit as st

from octprobe.figures.shapes import Table
from octprobe.figures.text import inert
from octprobe.report import overview
from octprobe.report.missed import missed_table
from octprobe.store.snapshot import Snapshot


@st.cache_data(max_entries=8, show_spinner="Summing up")
def _summary(store: Snapshot, pairs: tuple[str, ...]) -> overview.Summary:
    return overview.summarize(data.filtered(data.rows(store, overview.COLUMNS), pairs), store.path)


@st.cache_data(max_entries=8, show_spinner="Finding the fastest alphas")
def _findings(store: Snapshot, pairs: tuple[str, ...]) -> tuple[Table, Table]:
    return overview.findings(data.filtered(data.rows(store, overview.COLUMNS), pairs))


def page() -> None:
    """Show the headline first, then coverage, doubts, environments and failures."""
    store = data.current()
    pairs = state.filters(store)
    found = _summary(store, pairs)
    _headline(store, found)
    _swept(found)
    _trust(found)
    _failures(store, found)
    _groups(store, pairs, found)


def _headline(store: Snapshot, found: overview.Summary) -> None:
    st.subheader("Headline")
    charts.bullets(found.headlines)
    with st.container(horizontal=True):
        st.metric("Points", f"{found.points:,}", border=True)
        for word, count in found.verdicts.items():
            st.metric(f"{word}, points", f"{count:,}", border=True)
    st.caption("The words are verdicts of measured octave points against vanilla, by the 95 % interval.")
    charts.say(*data.damaged(store))


def _swept(found: overview.Summary) -> None:
    st.subheader("What was swept")
    charts.say(", ".join(f"{count} {status}" for status, count in found.statuses))
    charts.show_table(found.coverage, "Points of each network by alpha and status")
    st.subheader("Where OctConv loses")
    if found.losing.rows:
        charts.show_table(found.losing, "Octave points slower than vanilla, the slowest first")
    else:
        st.caption("No octave point is shown to be slower than its vanilla form.")


def _trust(found: overview.Summary) -> None:
    st.subheader("Doubts")
    charts.bullets(found.doubts)
    if not found.doubts:
        st.caption("No measured point has a doubt.")
    st.subheader("Environments")
    charts.show_table(found.environments, "Environments with their points")
    charts.say(found.incomparable or "")


def _failures(store: Snapshot, found: overview.Summary) -> None:
    st.subheader("Failures")
    if not found.missed:
        st.caption("Every point was measured.")
        return
    if found.missed_points > len(found.missed):
        st.caption(f"The first {len(found.missed)} of {found.missed_points} points that were not measured.")
    charts.show_table(missed_table(found.missed), "Points that were not measured")
    names = [inert(f"{place}: {one.label}, {one.status}") for place, one in enumerate(found.missed, 1)]
    one = found.missed[names.index(state.choice("A failure in detail", "failure", names))]
    charts.say(f"{one.status}: {one.reason}")
    log = data.whole_records(store, [one.place])[0].get("log_tail")
    if log:
        charts.say_log(log)
    st.caption("Measure it again, with all of the sweep that ended so:")
    charts.command(one.retry)


def _groups(store: Snapshot, pairs: tuple[str, ...], found: overview.Summary) -> None:
    st.subheader("Fastest alpha and break-even of each group")
    if found.points > overview.MOST_FOR_FINDINGS:
        st.caption(
            f"Shown for at most {overview.MOST_FOR_FINDINGS:,} rows: narrow them in the sidebar, "
            "or ask `octprobe break-even`."
        )
        return
    fastest, even = _findings(store, pairs)
    charts.show_table(fastest, "The fastest alpha of each group, with its verdict against vanilla")
    charts.show_table(even, "The smallest alpha that is FASTER, and how much of the MACs saving became time")


page()
