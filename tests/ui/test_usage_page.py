"""The Usage page: filters, clicks, the history page by page, unpriced calls, what if, export, and the notebook."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from llm_core import Usage, UsageRecord, Workspace
from pages.components import first_screen, live, usage_figures, usage_marks, usage_treemap
from pages.components.span import span_of
from pages.components.usage_tabs import TABS
from pages.components.usage_view import View
from tests.ui.conftest import ROOT, failures, texts
from tests.ui.test_pages import NOT_FOR_PEOPLE

Open = Callable[..., AppTest]
TZ = "Europe/Berlin"
LUNA = {"model": "gpt-6-luna", "project": "web", "user": "ann", "tags": {"team": "search"}}


def keep(ws: Workspace, count: int = 1, ago: timedelta = timedelta(), **named: Any) -> None:
    values: dict[str, Any] = {"provider": "openai", "connection": "openai", "latency_ms": 800.0, **LUNA}
    usage = Usage(input_tokens=1000, cache_read_tokens=400, output_tokens=200)
    for number in range(count):
        at = datetime.now(UTC) - ago - timedelta(minutes=number)
        cost = Decimal("0.25") + number
        record = {"usage": usage, "cost_usd": cost, "started_at": at, **values, **named}
        ws.usage.record(UsageRecord(**record))


def tiles(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def test_the_first_screen_is_drawn_alone_at_first_and_what_the_link_says_of_the_rest_is_kept(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_MANAGER_SAMPLE", "1")
    monkeypatch.setattr(first_screen, "ALONE", True)
    app = open_app("usage", view="Export", measure="Calls")
    assert len(app.metric) == 6
    assert pictures(app) == 4
    assert not app.get("plotly_chart")
    assert not app.tabs
    assert "Calls per day" in " ".join(texts(app))
    for left in (4, 0):  # pictures stay until the browser has drawn the charts in their place
        app.run()
        assert pictures(app) == left
        assert len(app.get("plotly_chart")) == 4
        assert app.query_params["view"] == "Export"
        assert "Calls per day" in " ".join(texts(app))


def test_a_page_with_no_call_to_show_goes_on_looking_for_one(
    open_app: Open, ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_screen, "ALONE", True)
    app = open_app("usage")
    assert not app.metric
    assert first_screen._WHOLE not in app.session_state  # else the pulse would wait for a browser to ask
    keep(ws)
    app.run()
    assert tiles(app)["Calls"] == "1"
    assert not app.get("plotly_chart")
    assert app.session_state[first_screen._WHOLE] == {"usage": False}
    app.run()
    assert app.get("plotly_chart")
    assert app.session_state[first_screen._WHOLE] == {"usage": True}


def test_a_filter_that_finds_nothing_before_the_rest_has_come_leaves_the_page_live(
    open_app: Open, ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(ws)
    still: list[bool] = []
    monkeypatch.setattr(live, "_beat", lambda ws, seen, first_of: still.append(first_of is not None))
    monkeypatch.setattr(first_screen, "ALONE", True)
    app = open_app("usage")
    assert len(app.metric) == 6
    app.query_params["hour"] = f"{(datetime.now(UTC).weekday() + 3) % 7}-12"  # three days from any call
    app.run()
    assert not app.metric
    assert still == [True, False]


def pictures(app: AppTest) -> int:
    return sum(
        "chart-picture" in element.proto.body and 'role="img"' in element.proto.body for element in app.get("html")
    )


def test_every_tab_opens_on_sample_data_and_says_nothing_that_is_not_for_people(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_MANAGER_SAMPLE", "1")
    app = open_app("usage")
    for tab in TABS:
        app.session_state["view"] = tab
        app.run()
        assert not app.exception
        assert not failures(app)
        assert not [text for text in texts(app) if NOT_FOR_PEOPLE.search(text)], tab
    assert any("Projected by" in text for text in texts(app))
    assert any("was off by" in text for text in texts(app))


def test_a_link_with_every_kind_of_filter_shows_what_the_ledger_says(open_app: Open, ws: Workspace) -> None:
    keep(ws, 3)
    keep(ws, 2, project=None, user="o'neil", tags={"team": "ads"}, status="error", error_kind="timeout")
    keep(ws, 1, connection="other", model="own")
    for query, filters in {
        "project=(none)": {"project": None},
        "tag=team=search": {"tags": {"team": "search"}},
        "status=error": {"status": "error"},
        "user=o'neil": {"user": "o'neil"},
        "via=other": {"connection": "other"},
    }.items():
        name, _, value = query.partition("=")
        app = open_app("usage", **{name: value})
        assert tiles(app)["Calls"] == str(ws.usage.summary(**filters)["calls"].iloc[0]), query
        app.button(key=f"usage.chip.{ {'via': 'connection'}.get(name, name) }").click().run()
        assert tiles(app)["Calls"] == "6"


def test_an_hour_of_the_week_and_days_come_from_the_link(open_app: Open, ws: Workspace) -> None:
    day = datetime.now(UTC).replace(hour=9, minute=30) - timedelta(days=8)
    ago = datetime.now(UTC) - day
    keep(ws, 2, ago)
    keep(ws, 3, ago + timedelta(hours=3))
    here = day.astimezone(span_of("7 d", TZ, day).start.tzinfo)
    app = open_app("usage", hour=f"{here.weekday()}-{here.hour}")
    assert tiles(app)["Calls"] == "2"
    app.button(key="usage.chip.hour").click().run()
    assert tiles(app)["Calls"] == "5"
    app = open_app("usage", span="Custom", **{"from": f"{here:%Y-%m-%d}", "to": f"{here:%Y-%m-%d}"})
    assert tiles(app)["Calls"] == "5"
    assert any("Spend per hour" in text for text in texts(app))
    app = open_app("usage", span="Custom", **{"from": "2026-13-45", "to": "x"})
    assert not failures(app)


def test_history_is_searched_sorted_and_read_page_by_page(open_app: Open, ws: Workspace) -> None:
    keep(ws, 120)
    keep(ws, 1, model="rare-one", cost_usd=Decimal(999), request_id="req-123456")
    app = open_app("usage", sort_calls="Most expensive")
    seen: list[float] = []
    while True:
        seen += app.dataframe[0].value["Cost"].tolist()
        if app.button(key="usage.older").disabled:
            break
        app.button(key="usage.older").click().run()
    assert len(seen) == 121
    assert seen == sorted(seen, reverse=True)
    assert any("Requests 101 to 121" in text for text in texts(app))
    app.button(key="usage.newer").click().run()
    assert any("Requests 51 to 100" in text for text in texts(app))
    app.text_input(key="find").set_value("rare").run()
    assert app.dataframe[0].value["Model"].tolist() == ["rare-one"]
    assert tiles(app)["Calls"] == "121"


def test_a_call_in_full_tells_classes_of_usage_parts_of_its_cost_and_what_the_provider_sent(
    open_app: Open, ws: Workspace
) -> None:
    keep(ws, cost_usd=None, model="gpt-5", raw_usage={"prompt_tokens": 1000})
    ws.usage.flush()
    app = open_app("usage")
    app.session_state["usage.open"] = app.session_state["usage.shown"][0]
    app.run()
    usage, cost = (table.value for table in app.table)
    assert {"Input tokens", "Cache read tokens", "Output tokens"} <= set(usage.index)
    amounts = {name: str(row.iloc[0]).strip("*$") for name, row in cost.iterrows()}
    recorded = Decimal(amounts.pop("**Recorded**"))
    assert recorded == ws.usage.history()["cost_usd"].iloc[0]
    assert sum(map(Decimal, amounts.values())) == recorded


def test_unpriced_calls_are_a_click_away_with_the_way_to_a_price(open_app: Open, ws: Workspace) -> None:
    keep(ws, 2, model="own-model", cost_usd=None, connection="mine", provider="compatible")
    app = open_app("usage")
    app.button(key="usage.unpriced").click().run()
    table = app.dataframe[0].value
    assert table["Model"].tolist() == ["own-model"]
    assert table["What is missing"].tolist() == ["The price of this model"]
    assert "Set a price for own-model" in texts(app)
    assert tiles(app)["Spend"] == "–"


def test_what_if_prices_the_same_calls_on_another_model_and_leaves_the_record(open_app: Open, ws: Workspace) -> None:
    ws.providers.connect("openai", "sk-not-a-key-that-works-0001", test=False)
    ws.models.add_own("openai", "gpt-5-mini")
    keep(ws, 3, model="gpt-5")
    app = open_app("usage", view="What if")
    app.segmented_control(key="usage.what_if").set_value("On another model").run()
    app.selectbox(key="usage.what_if.model").select("openai:gpt-5-mini").run()
    expected = ws.usage.reprice(model="openai:gpt-5-mini").iloc[0]
    assert app.dataframe[0].value["Priced anew"].tolist() == [float(expected.repriced_usd)]
    assert ws.usage.summary()["cost_usd"].iloc[0] == Decimal("3.75")


def test_an_export_has_the_records_that_are_shown(open_app: Open, ws: Workspace) -> None:
    keep(ws, 3)
    keep(ws, 2, model="other")
    app = open_app("usage", view="Export", model="gpt-6-luna")
    for name in ("CSV", "JSON lines", "Parquet"):
        app.segmented_control(key="usage.format").set_value(name).run()
        app.button(key="usage.prepare").click().run()
        assert not failures(app)
        made = app.session_state["usage.export"]
        assert made.records == 3
        read = {
            "CSV": pd.read_csv,
            "Parquet": pd.read_parquet,
            "JSON lines": lambda path: pd.read_json(path, lines=True),
        }
        assert set(read[name](made.path)["model"]) == {"gpt-6-luna"}
        assert any("3 records" in text for text in texts(app))


def test_a_young_ledger_says_why_there_is_no_projection(open_app: Open, ws: Workspace) -> None:
    keep(ws, 5)
    shown = texts(open_app("usage"))
    assert any("Not enough data for a projection" in text for text in shown)
    assert any("a forecast needs 42" in text for text in shown)


def test_the_data_of_a_chart_has_no_cell_that_a_spreadsheet_runs() -> None:
    names = ["=1+1", "+1", "-1", "@x", "\t=1", " =1", "\u2212" + "1", "'x", "plain", "7 days", ""]
    found = usage_marks.as_csv(pd.DataFrame({"name": names, "usd": [-1.5] * len(names)}))
    read = pd.read_csv(io.BytesIO(found), keep_default_na=False)
    assert read["name"].tolist() == [*(f"'{name}" for name in names[:8]), *names[8:]]
    assert set(read["usd"]) == {-1.5}


def test_tiles_of_a_treemap_are_as_large_as_what_they_show_and_do_not_overlap() -> None:
    sizes = [50.0, 20.0, 10.0, 10.0, 5.0, 3.0, 1.0, 1.0]
    frame = pd.DataFrame({"outer": list("aabbcccd"), "inner": list("stuvwxyz"), "usd": sizes})
    drawn = {"words": str, "colour": lambda name: "#000000", "theme": "light"}
    figure = usage_treemap.treemap(frame, ("outer", "inner"), "usd", **drawn)
    bars = figure.data[0]
    areas = {mark[1]: width * height for mark, width, height in zip(bars.customdata, bars.width, bars.y, strict=True)}
    assert [round(areas[name] / 50, 6) for name in "stuvwxyz"] == [pytest.approx(size) for size in sizes]
    edges = [
        (x - width / 2, x + width / 2, base, base + height)
        for x, width, base, height in zip(bars.x, bars.width, bars.base, bars.y, strict=True)
    ]
    for place, (left, right, top, bottom) in enumerate(edges):
        for other in edges[place + 1 :]:
            across = min(right, other[1]) - max(left, other[0])
            down = min(bottom, other[3]) - max(top, other[2])
            assert across < 1e-9 or down < 1e-9


@pytest.mark.parametrize(
    ("size", "name", "told"),
    [
        (40.0, "gemini-3.8-flash", "gemini-3.8-flash<br>40.0"),
        (14.0, "gemini-3.8-flash", "gemini-<br>3.8-<br>flash<br>14.0"),
        (14.0, "unbreakable_name", "unbrea…<br>14.0"),
        (14.0, "a-b c-d " * 40, "a-b c-…<br>14.0"),
        (2.0, "gemini-3.8-flash", ""),
    ],
)
def test_a_name_too_long_for_its_tile_is_broken_or_cut(size: float, name: str, told: str) -> None:
    frame = pd.DataFrame({"outer": ["a", "b"], "inner": ["all the rest", name], "usd": [100 - size, size]})
    drawn = {"words": str, "colour": lambda name: "#000000", "theme": "light"}
    assert usage_treemap.treemap(frame, ("outer", "inner"), "usd", **drawn).data[0].text[1] == told


def test_colours_are_kept_and_a_rare_group_alone_still_gets_one() -> None:
    taken = {f"model {number}": number for number in range(12)}
    assert usage_figures.paint(["model 3", "model 9", "Other"], taken) == {"model 3": 3, "model 9": 0}


RUN = """
import json, sys
source = json.load(open(sys.argv[1], encoding="utf-8"))
names = {}
for cell in source["cells"]:
    if cell["cell_type"] == "code":
        exec("".join(cell["source"]), names)
frames = "by_day on_what by_whom quantiles spread failed models hours calls unpriced today".split()
answers = {name: names[name].to_csv() for name in frames}
print("\\n" + json.dumps({"tiles": {k: str(v) for k, v in names["tiles"].items()}, **answers}))
names["ws"].close()
"""


def test_the_notebook_gives_the_numbers_of_the_page(open_app: Open, ws: Workspace, home: Path) -> None:
    for number in range(9):
        keep(ws, 4, timedelta(days=number), model=f"model-{number}", status="error" if number == 3 else "ok")
    keep(ws, 2, model="unknown", cost_usd=None)
    keep(ws, 3, timedelta(days=40))
    command = [sys.executable, "-c", RUN, str(ROOT / "docs" / "usage.ipynb")]
    environment = {**os.environ, "LLM_MANAGER_HOME": str(home)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])

    shown = tiles(open_app("usage"))
    assert shown["Spend"] == f"${Decimal(found['tiles']['spend']):,.2f}"
    assert shown["Calls"] == found["tiles"]["calls"]
    assert shown["Errors"] == f"{float(found['tiles']['error_rate']) * 100:.0f} %"

    view = View(ws, ws.usage.token(), span_of("30 d", TZ, datetime.now(UTC)), {})
    ranked: dict[str, Any] = {"sort": "cost_usd", "limit": 7, "other": True}
    of_the_page = {
        "by_day": view.about("series", by="model", sort="cost_usd", limit=7),
        "on_what": view.about("groups", by="model", **ranked),
        "by_whom": view.about("groups", by="project", **ranked),
        "quantiles": view.about("percentiles", column="latency_ms"),
        "spread": view.about("distribution", column="latency_ms"),
        "failed": view.about(
            "series", by="error_kind", sort="errors", limit=7, status=["error", "partial", "interrupted"]
        ),
        "models": view.about("performance", by=("connection", "model")),
        "calls": view.about("history", limit=51),
        "unpriced": view.about("unpriced"),
        "today": view.about("reprice", by=("connection", "model")),
    }
    for name, asked in of_the_page.items():
        assert asked.answer(ws).to_csv() == found[name], name
