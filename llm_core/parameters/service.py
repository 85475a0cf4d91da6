"""Answers for pages and calls: what a model takes, whether values fit it, and the presets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from ..chat_request import chat_request
from ..errors import LLMManagerError, NotConfigured, UnknownPreset
from ..messages import Prompt, as_messages
from ..providers.protocol import Deadline
from ..structured import as_json_schema
from ..types import Cost, LLMModel, LLMProvider, Parameters, TokenCount, Usage
from .call_checks import check_tools, option_specs
from .expectation import expectation
from .families import specs_for
from .fitting import Change, fit
from .preset import Preset
from .preset_defaults import PresetDefault, PresetDefaults
from .presets import ImportReport, Presets
from .specs import ParameterSpec
from .validate import Finding, Validation, shown, validate
from .wire import WireRequest

if TYPE_CHECKING:
    from ..store.state import State
    from .distribution import Distribution
    from .next_tokens import Ask, NextTokens
    from .preview import Connections


COUNTING_SECONDS = 20.0


class Models(Protocol):
    """What this room asks of ModelService."""

    def get(self, id: str) -> LLMModel: ...  # noqa: A002

    def price(
        self,
        id: str,  # noqa: A002
        usage: Usage | None,
        at: datetime | None = None,
        mode: str = "standard",
    ) -> Cost: ...


class ParameterService:
    """Safe to share between threads."""

    def __init__(self, state: State, models: Models, ask: Ask, connections: Callable[[], Connections]) -> None:
        """`ask` makes a call, for `next_tokens`; `connections` is asked by `preview` and `count_tokens`."""
        self._models = models
        self._ask = ask
        self._connections = connections
        self._presets = Presets(state)
        self._defaults = PresetDefaults(state, self._presets)

    def spec(self, id: str) -> list[ParameterSpec]:  # noqa: A002  # the name is part of the public surface
        """Every parameter as this model takes it, those it lacks with the reason. A provider's name stands in for a
        connection that does not exist. Raises UnknownModel, UnknownConnection.
        """
        return list(specs_for(self._models.get(id)))

    def options(self, id: str) -> list[ParameterSpec]:  # noqa: A002
        """The same of a call's `tools`, `tool_choice` and `schema`. Raises UnknownModel, UnknownConnection."""
        return list(option_specs(self._models.get(id)))

    def validate(self, id: str, parameters: object) -> Validation:  # noqa: A002
        """What the provider would refuse and what would be ignored or unwise. Never raises, whatever it is given.

        Of parameters alone: `preview` also looks at the messages, the tools and their length.
        """
        try:
            return validate(self.spec(id), parameters)
        except (NotConfigured, AttributeError, TypeError):  # an id that is none: unknown, or not even text
            found = validate(specs_for(None), parameters)
            unknown = Finding("model", "This model is not known; only values no provider takes are found.")
            return Validation(found.errors, (unknown, *found.warnings))

    def validate_tools(
        self,
        id: str,  # noqa: A002
        connection: LLMProvider,
        parameters: Parameters,
        tools: Any,
        tool_choice: Any,
    ) -> Validation:
        """The same of a call's tools, beside parameters that are sound. Raises UnknownModel, UnknownConnection."""
        from .preview import goes_to_chat

        chat_only = goes_to_chat(connection, parameters)
        return check_tools(self._models.get(id), parameters, tools, tool_choice, chat_only=chat_only)

    def suited(self, id: str, parameters: Parameters, beside: Parameters | None = None) -> Parameters:  # noqa: A002
        """What the model takes of a preset, which is for all models: what it lacks is left out, numbers past its range
        become the nearest in it. `beside` are those given in the call, which win.
        """
        return fit(self.spec(id), parameters, beside)[0]

    def changes(self, id: str, parameters: Parameters) -> tuple[Change, ...]:  # noqa: A002
        """What `suited` leaves out or moves into range when the parameters are a preset's, each with the reason."""
        return fit(self.spec(id), parameters)[1]

    def expectation(self, id: str, parameters: Parameters) -> str:  # noqa: A002
        """What to expect of an answer with these parameters, in plain words."""
        return expectation(self.spec(id), parameters)

    def reshaped(
        self,
        id: str,  # noqa: A002
        tokens: NextTokens,
        parameters: Parameters,
        counts: Sequence[int] | None = None,
    ) -> Distribution:
        """The chances of these tokens as this model would draw with the parameters, its defaults where none is set.

        `counts` says how often each was used before, which only penalties look at.
        """
        from .distribution import Order, reshape, shaping

        logprobs = [token.logprob for token in tokens.tokens]
        order: Order = "llama.cpp" if self._models.get(id).provider == "local" else "temperature first"
        return reshape(logprobs, shaping(self.spec(id), parameters), counts=counts, order=order)

    def next_tokens(self, id: str, messages: Any, top: int = 20, **options: Any) -> NextTokens:  # noqa: A002
        """What this model would say next after the messages, and how likely it holds each token: one call for one
        token, recorded with the source "parameters". `options` are those of `ws.llm.complete`, as `timeout` and `user`.

        Raises InvalidInput where the model does not tell, and what a call raises.
        """
        from .next_tokens import of_model

        return of_model(self._ask, id, self.spec(id), messages, top, options)

    def recorded_next_tokens(self) -> tuple[NextTokens, ...]:
        """Real ones of a small open model, recorded once, for where no model is at hand."""
        from .next_tokens import recorded

        return recorded()

    def preview(
        self,
        id: str,  # noqa: A002
        parameters: object = None,
        messages: Prompt = "",
        *,
        tools: Sequence[Mapping[str, Any]] | None = None,
        tool_choice: str | Mapping[str, Any] | None = None,
        schema: Any = None,
        preset: str | None = None,
        task: str = "chat",
        stream: bool = False,
    ) -> WireRequest:
        """The request that `ws.llm.complete` would send with these arguments (`stream` with `stream`), and nothing is
        sent: what became of each parameter, the tokens of the prompt, the cost from the shortest answer to the longest.

        Needs neither key nor connection: a provider's name will do. Never raises for what would be refused: then
        `body` is None and `validation` says why.
        """
        from .preview import Asked, Preview, connection_of

        try:
            model = self._models.get(id)
            connection = connection_of(model, self._connections())
            followed = self._followed(preset, id, task)
        except UnknownPreset as error:
            return WireRequest(id, validation=Validation((Finding("preset", error.message, error.hint),)))
        except LLMManagerError as error:
            return WireRequest(id, validation=Validation((Finding("model", error.message, error.hint),)))
        except (AttributeError, TypeError):  # an id that is not even text
            return WireRequest("", validation=Validation((Finding("model", f"{shown(id)} is not a model id."),)))
        asked = Asked(model, parameters, messages, tools, tool_choice, schema, followed, stream)
        return Preview(asked, connection, self._models.price).made()

    def count_tokens(
        self,
        id: str,  # noqa: A002
        messages: Prompt,
        *,
        parameters: Parameters | Mapping[str, Any] | None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
        tool_choice: str | Mapping[str, Any] | None = None,
        schema: Any = None,
    ) -> TokenCount:
        """The prompt's tokens, by the vendor's own count, which costs nothing and is not recorded; a local model is
        started for it. Where nobody counts, an estimate, which `how` says.

        Raises InvalidInput, NotConfigured, ProviderError.
        """
        from .preview import counted

        model = self._models.get(id)
        request = chat_request(
            model.name,
            as_messages(messages),
            Parameters.of(parameters),
            Deadline(COUNTING_SECONDS),
            tools=tools,
            tool_choice=tool_choice,
            schema=as_json_schema(schema),
        )
        return counted(self._connections().adapter(model.connection), request)

    def _followed(self, preset: str | None, id: str, task: str) -> Preset | None:  # noqa: A002
        """The preset that a call with this argument follows. Raises UnknownPreset."""
        if preset is None:
            return self.default_for(id, task)
        return self.preset(preset) if preset else None

    def presets(self) -> list[Preset]:
        """Those built in, then a person's own by name."""
        return self._presets.all()

    def preset(self, name: str, version: int | None = None) -> Preset:
        """The preset as it is now, or as a version of it was, also after it was deleted. Raises UnknownPreset."""
        return self._presets.get(name, version)

    def save(self, preset: Preset, *, new: bool = False) -> Preset:
        """Keep it as a new version under its name; what comes back has its version. With `new` a name that is taken is
        refused. Raises InvalidInput.
        """
        return self._presets.save(preset, new=new)

    def duplicate(self, name: str, new_name: str) -> Preset:
        """A copy under a name of its own, of a built-in one too. Raises UnknownPreset, InvalidInput."""
        return self._presets.duplicate(name, new_name)

    def rename(self, name: str, new_name: str) -> Preset:
        """Its versions begin anew and defaults follow; records keep the name they were made with.

        Raises UnknownPreset, InvalidInput.
        """
        return self._presets.rename(name, new_name)

    def delete(self, name: str) -> None:
        """Take a person's own preset off the list; records keep naming it. Raises UnknownPreset, InvalidInput."""
        self._presets.delete(name)

    def restore(self, name: str, version: int | None = None) -> Preset:
        """Undo a deletion, or make an earlier version count again. Raises UnknownPreset, InvalidInput."""
        return self._presets.restore(name, version)

    def versions(self, name: str) -> list[Preset]:
        """All that was saved under the name, the newest first, each with the time. Raises UnknownPreset."""
        return self._presets.versions(name)

    def deleted_presets(self) -> list[Preset]:
        """Those that `restore` can bring back, as they were last."""
        return self._presets.deleted()

    def set_default(self, preset: str | None, *, task: str | None = None, model: str | None = None) -> None:
        """The preset of calls for this task, or of this model, that name none; None for none again.

        A model's default counts before its task's, and a call with `preset=""` follows neither. Raises UnknownPreset,
        InvalidInput.
        """
        self._defaults.set(preset, task, model)

    def defaults(self) -> list[PresetDefault]:
        """The defaults there are, those of tasks first."""
        return self._defaults.all()

    def default_for(self, id: str, task: str = "chat") -> Preset | None:  # noqa: A002
        """The preset that a call of this model for this task follows when it names none."""
        return self._defaults.of(id, task)

    def export_presets(self, names: Sequence[str] | None = None) -> str:
        """These presets, else all of a person's own, as the JSON that docs/presets.md describes. Raises UnknownPreset,
        InvalidInput where there is none.
        """
        from .preset_files import write

        wanted = [one for one in self.presets() if not one.built_in] if names is None else map(self.preset, names)
        return write(wanted)

    def import_presets(self, text: str | bytes, *, on_conflict: str = "refuse") -> ImportReport:
        """All presets of such a file, or none of them.

        A name that is here with other values is refused, or the one of the file gets another name ("rename"), or it
        becomes a new version of the one here ("new version"). Raises InvalidPresetFile, InvalidInput.
        """
        from .preset_files import read

        return self._presets.add(read(text), on_conflict)

    def preset_schema(self) -> dict[str, Any]:
        """The JSON Schema of such a file."""
        from .preset_files import schema

        return schema()
