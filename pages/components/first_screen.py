"""The first screen of a page in a run of its own, with pictures for charts; the browser asks for the rest once it has
drawn it and has loaded what draws the rest.

In one run with the rest it would show up only with all the rest, and charts take the browser longer than all else.
"""

from __future__ import annotations

import json
import time
from functools import cache
from pathlib import Path

import streamlit as st

ALONE = True
"""Whether the first screen is drawn in a run of its own."""
_PATIENCE_S = 12.0
"""After so long the rest is drawn even though no browser has asked for it."""
_WHOLE = "first_screen.whole"
"""Of the session: each page of which the first screen was drawn, and whether the rest was too."""
_KEY = "first-screen-rest"
_ASK = """
<style>.st-key-KEY { display: none }</style>
<script>
{
  const own = document.querySelector("script[type=module][src]")
  const load = () => Promise.allSettled(MODULES.map((name) => import(new URL(name, own?.src ?? location.href))))
  const ask = async () => {
    const place = document.querySelector(".st-key-KEY")
    if (!place) return
    if (!place.querySelector("button") || document.querySelector("[data-testid=stMain] [data-testid=stSkeleton]")) {
      setTimeout(ask, 30)
      return
    }
    await new Promise((painted) => setTimeout(painted, 50))
    await load()
    place.querySelector("button")?.click()
  }
  ask()
}
</script>
"""


def alone(page: str) -> bool:
    """Whether this run draws the first screen only: so it is in the first one of a page in a browser tab."""
    return ALONE and page not in st.session_state.get(_WHOLE, {})


def shown(page: str) -> bool:
    """Whether the browser shows no more than the first screen until this run is drawn."""
    return ALONE and not st.session_state.get(_WHOLE, {}).get(page, False)


def waits(page: str) -> bool:
    """Whether the rest is still to come, and so nothing else need run the page again."""
    return not st.session_state.get(_WHOLE, {}).get(page, True)


def ends(page: str, *elements: str) -> bool:
    """Whether to stop here. `elements` are those of Streamlit's own that the browser loads before it asks for the rest,
    by the names of their files.
    """
    first = alone(page)
    st.session_state.setdefault(_WHOLE, {})[page] = not first
    if first:
        with st.container(key=_KEY):
            st.button("Show the rest")
            asking = _ASK.replace("KEY", _KEY).replace("MODULES", json.dumps(_modules(elements)))
            st.html(asking, unsafe_allow_javascript=True)
            _in_any_case(time.monotonic())
    return first


@st.fragment(run_every=_PATIENCE_S)
def _in_any_case(since: float) -> None:
    if time.monotonic() - since > _PATIENCE_S / 2:
        st.rerun()


@cache
def _modules(elements: tuple[str, ...]) -> list[str]:
    """What the browser imports for these elements: Streamlit's own files of those names, as many as there are."""
    folder = Path(st.__file__).parent / "static/static/js"
    return [found.name for name in elements for found in sorted(folder.glob(f"{name}.*.js"))]
