"""What alerts and advice ask of the rest of the program. `workspace` hands it in: this room imports no other for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from ..types import Cost, LLMModel, LLMProvider, Usage


class Around(Protocol):
    """Connections, models and their prices, and a place for secrets."""

    def connections(self) -> Sequence[LLMProvider]: ...

    def models(self, task: str | None = None) -> Sequence[LLMModel]:
        """What connections offer, for a task where one is named."""

    def model(self, id: str) -> LLMModel:  # noqa: A002
        """Raises NotConfigured for one that nothing is known of."""

    def title(self, subject: str) -> str:
        """What people call a model, by its id, or a connection, by its name. What is not known keeps id or name."""

    def price(self, id: str, usage: Usage | None, at: datetime | None = None, mode: str = "standard") -> Cost: ...  # noqa: A002

    def radar(self, spend: pd.DataFrame) -> pd.DataFrame:
        """`ModelService.radar`."""

    def secrets(self) -> Secrets: ...


class Secrets(Protocol):
    """Keeps text that nobody may see, by name."""

    def keep(self, name: str, text: str) -> str:
        """Returns `vault`, or `memory` where it goes with this process. Raises InvalidInput, VaultError."""

    def get(self, name: str) -> str | None:
        """None where there is none. Raises VaultError."""

    def forget(self, name: str) -> None: ...
