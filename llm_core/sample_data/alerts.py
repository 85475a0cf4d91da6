"""Writes the alerts that the sample's story would have brought: looks at its figures at the times of its troubles."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

from ..catalog.facts import facts
from ..providers.registry import label
from ..store.home import Home
from ..types import LLMProvider, split_model_id
from ..usage import UsageService
from .work import RUNAWAY_DAYS_AGO, SLOW, TROUBLES

if TYPE_CHECKING:
    import pandas as pd

    from ..store.state import State
    from ..usage.around import Around


def write_alerts(home: Home, state: State, now: datetime) -> None:
    """Into the state of a home whose calls are written. All of them are over, and were seen. Raises StoreError."""
    usage = UsageService(home, state=lambda: state, around=lambda: cast("Around", _Names()), is_sample=True)
    try:
        for moment in sorted(_moments(now)):
            usage.alerts.look(moment)
        usage.alerts.acknowledge()
    finally:
        usage.close()


class _Names:
    """What an alert asks of its surroundings, as far as it is known of days gone by: what things are called."""

    def title(self, subject: str) -> str:
        if ":" not in subject:
            return label(subject)
        known = facts(*split_model_id(subject))
        return known.display_name if known and known.display_name else subject

    def connections(self) -> list[LLMProvider]:
        return []

    def radar(self, spend: pd.DataFrame) -> pd.DataFrame:
        """No ends of models."""
        return spend.head(0)


def _moments(now: datetime) -> Iterator[datetime]:
    """In each trouble that is over, and after it; in the evening of the spike, and the morning after; last night."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for trouble in TROUBLES:
        end = midnight - timedelta(days=trouble.since - trouble.days)
        if end + timedelta(hours=3) < now:
            yield end - timedelta(minutes=10)
            yield end + timedelta(hours=3)
    evening = midnight - timedelta(days=RUNAWAY_DAYS_AGO)
    yield evening + timedelta(hours=19, minutes=40)
    yield evening + timedelta(hours=33)
    night = midnight - timedelta(days=int(SLOW.since) - 1)
    yield night + timedelta(hours=4)
    yield night + timedelta(hours=12)
