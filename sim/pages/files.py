"""Files that a visitor takes away: each is made when its button is pressed, and kept until its page is drawn anew."""

from collections.abc import Callable
from threading import Thread

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import add_script_run_ctx, get_script_run_ctx

MIMES = {
    "csv": "text/csv",
    "html": "text/html",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
    "toml": "application/toml",
}


def download(
    words: str, name: str, content: Callable[[], str | bytes], key: str, icon: str = ":material/download:"
) -> None:
    """A button for a file of one of the kinds in `MIMES`, by how its name ends.

    `content` is called when the button is pressed, beside the script and not in it: it may take long, and draws nothing.
    """
    mime = MIMES[name.rpartition(".")[2]]
    context = get_script_run_ctx()

    def made() -> bytes:
        told = content()
        file = told.encode() if isinstance(told, str) else told
        # Streamlit lets go of what was made on demand once two pages have been drawn, whoever's they are: in a class that
        # can be before the browser has fetched it. As a part of this visitor's page it stays until that is drawn anew.
        keeping = Thread(
            target=lambda: runtime.get_instance().media_file_mgr.add(file, mime, f"file/{key}", name, True)
        )
        add_script_run_ctx(keeping, context)
        keeping.start()
        keeping.join()
        return file

    st.download_button(words, made, name, mime, key=key, on_click="ignore", icon=icon)
