"""Plain Streamlit and nothing of ours: every kind of element that a page here may have, for axe-core to compare with."""

import io

import plotly.graph_objects as go
import streamlit as st


def elements() -> None:
    st.title("Title")
    st.header("Header", divider=True)
    st.subheader("Subheader", help="Help")
    st.caption("A caption.")
    st.write("Text, **bold**, `code`, :small[small], :gray[gray] and a [link](#header).")
    st.markdown("- one\n- two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n:gray-badge[badge] :material/info:")
    st.text("Text as it is.")
    st.code("[request]\ntarget = 20000\n" + "# long" * 60, language="toml", height=90)
    st.html("<p>Markup.</p>")
    st.divider()
    for tell in (st.info, st.warning, st.error, st.success):
        tell("Told.")
    left, right = st.columns(2)
    left.metric("Metric", "11 of 53", "+2 against the baseline", help="Help")
    right.metric("Another", "3,301", "5 to 95 %", delta_color="off", delta_arrow="off", border=True)
    st.plotly_chart(
        go.Figure(go.Scatter(x=[0, 1], y=[0, 1])), key="chart", alt="A chart.", config={"displaylogo": False}
    )
    st.table({"day": ["0", "14"], "median": ["1", "2"]}, hide_index=True)
    st.table({f"column {k}": ["long" * 9] for k in range(12)})
    st.table({f"column {k}": ["long" * 9] for k in range(12)}, height=120)
    st.table({"many": list(range(90))}, height=120)
    st.dataframe({"day": [0, 14], "median": [1, 2]}, hide_index=True, key="frame", on_select="rerun")
    with st.expander("Expander", expanded=True):
        st.write("Inside.")
    with st.popover("Popover"):
        st.write("Inside.")
    for tab in st.tabs(["First", "Second"]):
        tab.write("In a tab.")
    with st.container(border=True, height=200):
        st.write("In a box.")
    st.progress(0.5, "Half")
    st.status("Status", state="complete", expanded=False)
    st.badge("Badge")
    st.image(io.BytesIO(_picture()), caption="Picture", width=40)


def widgets() -> None:
    st.slider("Slider (assumption)", 0, 10, 5, help="Help")
    st.slider("Range", 0, 10, (2, 5))
    st.select_slider("Select slider", ["a", "b", "c"])
    st.selectbox("Selectbox", ["a", "b"], help="Help")
    st.multiselect("Multiselect", ["a", "b"], ["a"])
    st.number_input("Number", 0, 10, 1, help="Help")
    st.text_input("Text input", placeholder="Search")
    st.text_area("Text area")
    st.date_input("Date")
    st.radio("Radio", ["a", "b"], horizontal=True)
    st.checkbox("Checkbox", help="Help")
    st.toggle("Toggle")
    st.segmented_control("Segmented", ["a", "b"], default="a")
    st.pills("Pills", ["a", "b"], selection_mode="multi")
    st.button("Button", help="Help")
    st.button("Primary", type="primary")
    st.button("Icon", icon=":material/undo:", type="tertiary")
    st.button("Disabled", disabled=True)
    st.download_button("Download", "text", "text.txt", on_click="ignore")
    st.file_uploader("Upload", type=["toml"])
    st.link_button("Link button", "#header")
    with st.form("form"):
        st.text_input("In a form")
        st.form_submit_button("Submit")


def main() -> None:
    with st.sidebar:
        st.header("Sidebar")
        widgets()
    elements()
    with st.container(key="main"):
        st.slider("Slider in the page", 0, 10, 5)


def _picture() -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG")
    return file.getvalue()


if __name__ == "__main__":
    st.set_page_config(page_title="Plain", layout="wide")
    pages = [st.Page(main, title="First", default=True), st.Page(elements, title="Second", url_path="second")]
    st.navigation({"": pages, "More": [st.Page(widgets, title="Third", url_path="third")]}, position="top").run()
