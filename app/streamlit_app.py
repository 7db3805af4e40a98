"""The rows of a result store in a browser: `streamlit run app/streamlit_app.py -- results/quickstart`.

The store is the argument after `--`, else the environment variable OCTPROBE_STORE.
"""

import os
import sys

import streamlit as st

import octprobe
from octprobe.errors import OctprobeError


def chosen_store() -> str | None:
    """Give the store named on the command line or in the environment."""
    return sys.argv[1] if len(sys.argv) > 1 else os.environ.get("OCTPROBE_STORE")


def show_rows(store: str) -> None:
    """List a store's rows; what is wrong with it is said in one line."""
    try:
        frame = octprobe.load(store)
    except OctprobeError as error:
        # Plain text: a message may quote a folder's name, and that is never markup.
        st.text(str(error))
        return
    st.text(f"{store}: {len(frame)} rows")
    if frame.empty:
        st.info("The store holds no rows yet: run a sweep into it.")
    else:
        st.dataframe(frame, hide_index=True)


st.set_page_config(page_title="octprobe", layout="wide")
st.title("octprobe")
store = chosen_store()
if store is None:
    st.info("No store is named. Run `streamlit run app/streamlit_app.py -- STORE`, or set OCTPROBE_STORE.")
else:
    show_rows(store)
