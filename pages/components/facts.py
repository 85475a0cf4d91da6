"""Small figures in a row: a quiet label over a bold value, each with the reason or the exact number as its tooltip."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st


class Fact(NamedTuple):
    label: str
    value: str
    help: str | None = None


def row(facts: list[Fact], *, width: int = 110) -> None:
    with st.grid("auto", min_column_width=width, gap="small"):
        for fact in facts:
            st.markdown(f":small[:gray[{fact.label}]]  \n**{fact.value}**", help=fact.help)
