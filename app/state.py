"""What a page shows is in its address: each choice is a parameter, nonsense is the default."""

from collections.abc import Sequence
from typing import Any

import data
import streamlit as st

from octprobe.figures.text import inert
from octprobe.store.snapshot import Snapshot

ANY = "any"
# The point whose detail is open, `point_id@env_id`; the beginning of each is enough.
POINT = "point"


def choice(label: str, name: str, options: Sequence[str], default: str | None = None, **more: Any) -> str:
    """Choose one of some texts.

    Args:
        label: what is chosen.
        name: the query parameter.
        options: at least one text.
        default: what counts where the address does not say; the first by default.
        more: further options of `st.selectbox`.
    """
    known = list(options)
    _forget_unless(name, known)
    place = known.index(default) if default in known else 0
    chosen = st.selectbox(label, known, index=place, key=name, bind="query-params", **more)
    return chosen if chosen in known else known[place]


def several(label: str, name: str, options: Sequence[str], default: Sequence[str]) -> list[str]:
    """Choose any number of some texts."""
    known = set(options)
    chosen = st.multiselect(
        label, list(options), default=[d for d in default if d in known], key=name, bind="query-params"
    )
    return [each for each in chosen if each in known]


def text(label: str, name: str, **more: Any) -> str:
    """Read a line."""
    return (st.text_input(label, key=name, bind="query-params", **more) or "").strip()


def slider(label: str, name: str, low: float, high: float, default: float, step: float) -> float:
    """Choose a figure between two."""
    chosen = st.slider(label, low, high, default, step, key=name, bind="query-params")
    return min(max(float(chosen), low), high)


def family(store: Snapshot) -> str | None:
    """Choose whose accuracies count; None for any, each on its own."""
    chosen = choice("Accuracies of", "accuracy_from", [ANY, *data.families(store)], format_func=inert)
    return None if chosen == ANY else chosen


def filters(store: Snapshot, more: Sequence[str] = (), but: Sequence[str] = ()) -> tuple[str, ...]:
    """Show what narrows the rows in the sidebar, and give it as `AXIS=VALUE` pairs.

    Args:
        store: where the rows are.
        more: further axes that narrow here.
        but: axes that do not narrow here.
    """
    shown = [name for name in (*data.FILTERED, *more) if name not in but]
    known = {name: values for name, values in data.values_of(store).items() if values[1:] and name in shown}
    pairs = []
    with st.sidebar:
        st.subheader("Rows shown")
        if not known:
            st.caption("All rows agree in every condition, so there is nothing to narrow.")
        for name, values in known.items():
            value = choice(name.replace("_", " "), name, [ANY, *values], format_func=inert)
            if value != ANY:
                pairs.append(f"{name}={value}")
    return tuple(pairs)


def _forget_unless(name: str, known: Sequence[str]) -> None:
    """Let go of a choice that the store no longer offers."""
    if name in st.session_state and st.session_state[name] not in known:
        del st.session_state[name]
