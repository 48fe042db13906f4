"""The app: start it with `make app` or `streamlit run app.py`. Its pages are in sim/pages/, docs/app.md says how one is written.

Worker processes import this file too where there is no compiled code, so nothing happens at import.
"""

from sim.pages import frame

if __name__ == "__main__":
    frame.run()
