"""The dashboard, for `streamlit run app.py`: page config, sidebar, sample-data label, then the page asked for."""

from __future__ import annotations

from pages.components import shell, sidebar

page = shell.start()
with shell.boundary():
    sidebar.draw(shell.workspace())
    shell.leftovers()
    page.run()
