"""The audit log of keys: who changed which one when, the newest first, and whether the log is whole."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from llm_core import Workspace
from pages.components import figures, shell

SHOWN = 200


def draw(ws: Workspace) -> None:
    """Reads the log only once it is opened."""
    folded = st.expander("Audit log", icon=":material/history:", on_change="rerun", key="keys.audit")
    if not folded.open:
        return
    with folded:
        events = ws.keys.audit_log()
        if not events:
            st.caption("No key was changed yet.")
            return
        report = ws.keys.verify_audit()
        if report.ok:
            torn = f" {report.recovered} torn by a crash, and explained." if report.recovered else ""
            st.badge(f"Verified: {report.lines} lines", icon=":material/verified:", color="green")
            st.caption(f"Each line holds the hash of the one before it, and the vault remembers the last.{torn}")
        else:
            problems = "  \n".join(figures.plain(problem) for problem in report.problems[:5])
            st.error(problems, title="The log is not whole", icon=":material/gpp_bad:")
        tz = shell.tz()
        rows = [
            {
                "When": event.at.astimezone(tz),
                "Who": event.who,
                "What": figures.sentence(event.what) + (f": {event.note}" if event.note else ""),
                "Connection": event.connection or "",
                "Fingerprint": event.fingerprint or "",
            }
            for event in reversed(events[-SHOWN:])
        ]
        when = st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm:ss", timezone=str(tz))
        st.dataframe(pd.DataFrame(rows), hide_index=True, column_config={"When": when})
