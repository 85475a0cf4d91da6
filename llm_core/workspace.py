"""The composition root: opens a home and builds its services, each on first use. Nothing else builds services."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from .errors import NotConfigured
from .store.home import Home, open_home

if TYPE_CHECKING:
    from .catalog import ModelService
    from .keys import APIKeyManager
    from .keys.named import NamedSecrets
    from .parameters import ParameterService
    from .providers import ProviderService
    from .service import LLMService
    from .settings import SettingsService
    from .store.state import State
    from .types import LLMModel, LLMProvider
    from .usage import UsageService

T = TypeVar("T")


class Workspace:
    """Everything of one home. Safe to share between threads; after a fork the child builds its own services.

    Use `Workspace.open()`, once for a program's life or as a context manager.
    """

    def __init__(self, home: Home, *, is_sample: bool = False) -> None:
        self.home = home
        self.is_sample = is_sample
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._parts: dict[str, Any] = {}
        self._of_parent: list[dict[str, Any]] = []

    @classmethod
    def open(cls, path: str | os.PathLike[str] | None = None) -> Self:
        """Open the workspace at `path`, else at $LLM_MANAGER_HOME, else in the user's data folder; made when missing.

        Raises UnsafeFolder.
        """
        return cls(open_home(path))

    @classmethod
    def open_sample(cls) -> Self:
        """Open made-up records in a home of their own, made anew when missing or a day old. It makes no calls."""
        from .sample import open_sample_home

        return cls(open_sample_home(), is_sample=True)

    def close(self) -> None:
        """Close the services that were used. The workspace can be used again afterwards."""
        with self._lock:
            parts, self._parts = self._parts, {}
            if self._pid != os.getpid():
                return
        usage = parts.pop("usage", None)  # first: its threads may ask the others
        for part in (usage, *reversed(parts.values())):
            close = getattr(part, "close", None)
            if close is not None:
                close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Workspace({str(self.home.path)!r})"

    @property
    def state(self) -> State:
        def build() -> State:
            from .store.state import State

            return State(self.home)

        return self._part("state", build)

    @property
    def settings(self) -> SettingsService:
        def build() -> SettingsService:
            from .settings import SettingsService

            return SettingsService(self.state)

        return self._part("settings", build)

    @property
    def keys(self) -> APIKeyManager:
        def build() -> APIKeyManager:
            if self.is_sample:
                from .sample import SampleKeys

                return SampleKeys(self.home)
            from .keys import APIKeyManager

            return APIKeyManager(self.home)

        return self._part("keys", build)

    @property
    def providers(self) -> ProviderService:
        def build() -> ProviderService:
            if self.is_sample:
                from .sample import SampleProviders

                return SampleProviders(self.state, self.keys, self.settings)
            from .providers import ProviderService

            return ProviderService(self.state, self.keys, self.settings)

        return self._part("providers", build)

    @property
    def models(self) -> ModelService:
        def build() -> ModelService:
            if self.is_sample:
                from .sample import SampleModels

                return SampleModels(self.state, self.providers, self.settings, self.home)
            from .catalog import ModelService

            return ModelService(self.state, self.providers, self.settings, self.home)

        return self._part("models", build)

    @property
    def parameters(self) -> ParameterService:
        def build() -> ParameterService:
            from .parameters import ParameterService

            return ParameterService(self.state, self.models, self._ask, lambda: self.providers)

        return self._part("parameters", build)

    @property
    def usage(self) -> UsageService:
        def build() -> UsageService:
            from .usage import UsageService

            return UsageService(
                self.home,
                settings=lambda: self.settings,
                price=Pricing(self),
                state=lambda: self.state,
                around=lambda: _Around(self),
                is_sample=self.is_sample,
            )

        return self._part("usage", build)

    @property
    def llm(self) -> LLMService:
        def build() -> LLMService:
            from .service import LLMService

            return LLMService(
                models=self.models,
                parameters=self.parameters,
                providers=self.providers,
                usage=self.usage,
                settings=self.settings,
                read_only=self.is_sample,
            )

        return self._part("llm", build)

    def _ask(self, *arguments: Any, **named: Any) -> Any:
        """`llm.complete`, which itself needs the parameters."""
        return self.llm.complete(*arguments, **named)

    def _part(self, name: str, build: Callable[[], T]) -> T:
        if self._pid != os.getpid():
            self._start_over_after_fork()
        found = self._parts.get(name)
        if found is None:
            with self._lock:
                found = self._parts.get(name)
                if found is None:
                    found = self._parts[name] = build()
        return found

    def _start_over_after_fork(self) -> None:
        """The parent's services are kept, unused: ending a parent's database threads from a child can hang it."""
        self._lock = threading.RLock()
        self._of_parent.append(self._parts)
        self._parts = {}
        self._pid = os.getpid()


class Pricing:
    """What models cost, asked of `models` only when a record has to be priced: recording must not load any price."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._workspace.models.price(*arguments, **named)

    def bands(self, id: str) -> Any:  # noqa: A002
        return self._workspace.models.prices.bands(id)


class _Around:
    """What alerts and advice ask of the other rooms, as `usage.around` has it."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def connections(self) -> list[LLMProvider]:
        return self._workspace.providers.list()

    def models(self, task: str | None = None) -> list[LLMModel]:
        return self._workspace.models.list(task=task)

    def model(self, id: str) -> LLMModel:  # noqa: A002
        return self._workspace.models.get(id)

    def title(self, subject: str) -> str:
        if ":" in subject:
            return self._workspace.models.title(subject)
        from .providers.registry import title

        try:
            return title(self._workspace.providers.get(subject))
        except NotConfigured:
            return subject

    def price(self, *arguments: Any, **named: Any) -> Any:
        return self._workspace.models.price(*arguments, **named)

    def radar(self, spend: Any) -> Any:
        return self._workspace.models.radar(spend)

    def secrets(self) -> NamedSecrets:
        from .keys.named import NamedSecrets

        return NamedSecrets(self._workspace.keys)
