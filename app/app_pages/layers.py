"""Which layers gain? Speed-up over channels and resolution, a map for each alpha and stride."""

from types import ModuleType

import charts
import data
import state
import streamlit as st

from octprobe.figures import efficiency, layers, saving
from octprobe.store.snapshot import Snapshot

_COLUMNS = (
    *("time_ratio_median", "time_ratio_ci_low", "time_ratio_ci_high", "pairs", "macs"),
    *("latency_ms_median", "latency_ms_ci_low", "latency_ms_ci_high", "latency_samples"),
)

_MODULES: dict[str, ModuleType] = {
    "speed-up map": layers,
    "realised saving": saving,
    "latency against MACs": efficiency,
}
_TOLD = {
    "speed-up map": "Blue is faster than vanilla, orange slower; the figure in a cell is vanilla's time "
    "over the octave form's.",
    "realised saving": "A realised saving of 100 % means that time fell as far as the MACs.",
    "latency against MACs": "Above the dotted line through vanilla, saved work did not become time.",
}


@st.cache_data(max_entries=12, show_spinner="Drawing")
def _drawn(store: Snapshot, pairs: tuple[str, ...], name: str) -> charts.Drawn:
    frame = data.filtered(data.rows(store, _COLUMNS), pairs)
    return charts.drawn(_MODULES[name], _MODULES[name].info(frame))


def page() -> None:
    """Show the heat maps, or how much of the MACs saving became time, or how time stands to MACs."""
    store = data.current()
    pairs = state.filters(store, more=data.LAYER_AXES)
    name = state.choice("Figure", "figure", list(_MODULES))
    charts.show(_drawn(store, pairs, name), name)
    st.caption(_TOLD[name])


page()
