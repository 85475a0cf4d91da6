"""The dashboard, for `streamlit run app.py`: page config, sidebar, sample-data label, then the page asked for."""

from __future__ import annotations

from pages.components import feedback, shell, sidebar

page = shell.start()
with feedback.boundary():
    sidebar.draw(shell.workspace())
    feedback.leftovers()
    page.run()
