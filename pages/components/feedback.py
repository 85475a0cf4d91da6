"""Where what happened becomes words: the one place that catches errors, and the news that an action worked."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar

import streamlit as st

from llm_core.errors import BudgetExceeded, LLMManagerError

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


@contextmanager
def boundary() -> Iterator[None]:
    """Turn whatever goes wrong inside into words: ours say what, why and what to do; others are logged and folded."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  the one place where everything is caught
        show(error)


def show(error: Exception) -> None:
    if isinstance(error, BudgetExceeded):
        from pages.components import budget_stop  # which itself shows errors

        budget_stop.show(error)
        return
    if isinstance(error, LLMManagerError):
        st.error(error.hint or "Try again.", title=error.message, icon=":material/error:")
        return
    log.exception("A page failed", exc_info=error)
    st.error(
        "Nothing was lost. Try again; the log of the program has the details.",
        title="This part of the page could not be shown.",
        icon=":material/error:",
    )
    with st.expander("Details", type="compact"):
        st.text(f"{type(error).__name__} in {_where(error)}")


def _where(error: Exception) -> str:
    """File and line of the failure. The message stays in the log: it could hold what was typed."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}, line {trace.tb_lineno}" if trace else "an unknown place"


def callback(action: Callable[P, T]) -> Callable[P, T | None]:
    """For `on_click` and the like, which run before the page: keep the error, and let the page show it in its place."""

    @functools.wraps(action)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T | None:
        try:
            return action(*args, **kwargs)
        except Exception as error:  # noqa: BLE001  shown by `leftovers`
            st.session_state["feedback.error"] = error
            return None

    return guarded


def leftovers() -> None:
    """Show what the last callback left: its error, or the news that it worked."""
    error = st.session_state.pop("feedback.error", None)
    if error is not None:
        show(error)
    news = st.session_state.pop("feedback.news", None)
    if news:
        st.toast(news, icon=":material/check_circle:")


def tell(news: str) -> None:
    """From a callback: say in the next run that it worked."""
    st.session_state["feedback.news"] = news
