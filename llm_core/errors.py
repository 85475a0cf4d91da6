"""Every error this package raises on purpose.

    LLMManagerError                 message (what happened), hint (what to do)
    |- InvalidInput                 the caller gave something that cannot be used
    |  |- InvalidParameters         .findings: field, message, hint of each
    |  |- InvalidMessage
    |  |- InvalidUsage              negative, fractional or contradictory token counts
    |  |- InvalidRecord
    |  |- InvalidSetting
    |  |- InvalidPresetFile         a file of presets that cannot be imported; nothing of it was
    |  |- InvalidConnection         a name, base URL or option that a connection cannot have
    |  |- InvalidBudget             a scope, limit or period that a budget cannot have
    |  |- InvalidAlert              a rule or channel of alerts that cannot be
    |  `- UnknownColumn             a filter, group or sort that the view `usage` lacks
    |- NotConfigured                something has to be set up first
    |  |- UnknownProvider
    |  |- UnknownConnection
    |  |- UnknownModel
    |  |- UnknownPreset
    |  |- UnknownBudget
    |  |- UnknownAlert              also a channel, or a piece of advice, that is not there
    |  |- NoActiveModel
    |  |- MissingKey
    |  |- MissingPackage
    |  `- ModelFileError            a local model's file is missing, damaged or could not be fetched
    |     `- FetchStopped           the caller stopped its fetching
    |- ProviderError                .provider .connection .status .retry_after .request_id .retryable
    |  |- KeyRefused                401
    |  |- PermissionRefused         403
    |  |- OutOfCredit               402, or a quota that waiting does not refill
    |  |- RateLimited               429
    |  |- ModelNotFound             404
    |  |- NoModelList               the endpoint takes calls, but lists no models
    |  |- RequestRefused            400, 413, 422
    |  |  |- ContextTooLong
    |  |  `- ContentRefused         the vendor's filter
    |  |- ProviderOverloaded        503, 529
    |  |- ProviderFailed            any other 5xx
    |  |- Unreachable               no connection
    |  |  `- TLSFailed
    |  |- TimedOut                  the deadline, or one phase of the request, ran out
    |  |- ConnectionBroken          the wire broke while the answer came
    |  |- RedirectRefused           a redirect, which is never followed
    |  `- UnreadableAnswer          an answer that is not what the provider documents
    |- BudgetExceeded               .budget .unit .limit .left .needed .resets_at: nothing was sent
    |  `- BudgetCannotBound         the price of the call is not known
    |- ChannelFailed                a message could not be sent to a channel of alerts
    |- StoreError
    |  |- StateTooNew               written by a newer program
    |  |- StateDamaged
    |  |- StateBusy
    |  |- LedgerDamaged
    |  |- LedgerTooNew             written by a newer program
    |  |- RecordNotKept            a usage record could not be written
    |  |- ExportStopped            the caller stopped an export; no file was made
    |  |- VaultError                .state: how the vault of keys stands
    |  |  |- VaultAbsent            nothing was stored yet
    |  |  |- VaultLocked            its master key cannot be had now
    |  |  |- VaultKeyWrong          its source gives another key than the vault's, or none
    |  |  |- VaultDamaged
    |  |  |- VaultTooNew            written by a newer program
    |  |  |- VaultBusy
    |  |  |- VaultNotWritten
    |  |  `- KeyDamaged             one key of a good vault cannot be decrypted
    |  `- UnsafeFolder              a home that cannot hold the stores safely
    |- QueryError                   SQL typed by a person
    |  |- QueryRefused
    |  |- QueryFailed
    |  `- QueryTooLong
    `- SampleWorkspace              a change or a call was asked of the sample data

`kind` is the word kept in a usage record's `error_kind`. No error carries a key, a request header or an SDK object.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import ClassVar

_redacted: Callable[[str], str] | None = None


def redact_with(redacted: Callable[[str], str]) -> None:
    """From now on every error's words go through `redacted`. Set by `keys` once this process holds a key."""
    global _redacted
    _redacted = redacted


class LLMManagerError(Exception):
    """Base of all. `str(error)` is the message followed by the hint."""

    kind: ClassVar[str] = "error"

    def __init__(self, message: str, hint: str = "") -> None:
        if _redacted is not None:
            message, hint = _redacted(message), _redacted(hint)
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class InvalidInput(LLMManagerError, ValueError):
    kind = "invalid_input"


class InvalidParameters(InvalidInput):
    """`findings` are the objects of `llm_core.parameters` with `field`, `message` and `hint`."""

    kind = "invalid_parameters"

    def __init__(self, message: str, hint: str = "", findings: Sequence[object] = ()) -> None:
        super().__init__(message, hint)
        self.findings = tuple(findings)


class InvalidMessage(InvalidInput):
    kind = "invalid_message"


class InvalidUsage(InvalidInput):
    kind = "invalid_usage"


class InvalidRecord(InvalidInput):
    kind = "invalid_record"


class InvalidSetting(InvalidInput):
    kind = "invalid_setting"


class InvalidPresetFile(InvalidInput):
    kind = "invalid_preset_file"


class InvalidConnection(InvalidInput):
    kind = "invalid_connection"


class InvalidBudget(InvalidInput):
    kind = "invalid_budget"


class InvalidAlert(InvalidInput):
    kind = "invalid_alert"


class UnknownColumn(InvalidInput):
    kind = "unknown_column"


class NotConfigured(LLMManagerError):
    kind = "not_configured"


class UnknownProvider(NotConfigured):
    kind = "unknown_provider"


class UnknownConnection(NotConfigured):
    kind = "unknown_connection"


class UnknownModel(NotConfigured):
    kind = "unknown_model"


class UnknownPreset(NotConfigured):
    kind = "unknown_preset"


class UnknownBudget(NotConfigured):
    kind = "unknown_budget"


class UnknownAlert(NotConfigured):
    kind = "unknown_alert"


class NoActiveModel(NotConfigured):
    kind = "no_active_model"


class MissingKey(NotConfigured):
    kind = "missing_key"


class KeyBoundElsewhere(MissingKey):
    kind = "key_bound_elsewhere"


class NoKeySource(NotConfigured):
    kind = "no_key_source"


class MissingPackage(NotConfigured):
    kind = "missing_package"


class ModelFileError(NotConfigured):
    kind = "model_file"


class FetchStopped(ModelFileError):
    kind = "fetch_stopped"


class ProviderError(LLMManagerError):
    """The provider, or the way to it, failed. `retry_after` is in seconds."""

    kind = "provider_error"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        provider: str = "",
        connection: str = "",
        status: int | None = None,
        retry_after: float | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, hint)
        self.provider = provider
        self.connection = connection
        self.status = status
        self.retry_after = retry_after
        self.request_id = request_id


class KeyRefused(ProviderError):
    kind = "key_refused"


class PermissionRefused(ProviderError):
    kind = "permission_refused"


class OutOfCredit(ProviderError):
    kind = "out_of_credit"


class RateLimited(ProviderError):
    kind = "rate_limited"
    retryable = True


class ModelNotFound(ProviderError):
    kind = "model_not_found"


class NoModelList(ProviderError):
    kind = "no_model_list"


class RequestRefused(ProviderError):
    kind = "request_refused"


class ContextTooLong(RequestRefused):
    kind = "context_too_long"


class ContentRefused(RequestRefused):
    kind = "content_refused"


class ProviderOverloaded(ProviderError):
    kind = "overloaded"
    retryable = True


class ProviderFailed(ProviderError):
    kind = "provider_failed"
    retryable = True


class Unreachable(ProviderError):
    kind = "unreachable"
    retryable = True


class TLSFailed(Unreachable):
    kind = "tls_failed"
    retryable = False


class TimedOut(ProviderError):
    kind = "timeout"


class ConnectionBroken(ProviderError):
    """The request was sent and the answer did not arrive whole; the provider may have billed it."""

    kind = "connection_broken"


class RedirectRefused(ProviderError):
    kind = "redirect_refused"


class UnreadableAnswer(ProviderError):
    kind = "unreadable_answer"


class BudgetExceeded(LLMManagerError):
    """A call could have passed a budget's limit; nothing was sent, and nothing recorded.

    `budget` is its name, `unit` money, tokens or calls; `limit`, `left` and `needed` (what the call takes at most) are
    Decimal US dollars or whole numbers. `resets_at` is when its next period begins, in UTC; None is never.
    """

    kind = "budget_exceeded"

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        budget: str,
        unit: str,
        limit: Decimal | int,
        left: Decimal | int,
        needed: Decimal | int | None,
        resets_at: datetime | None,
    ) -> None:
        super().__init__(message, hint)
        self.budget = budget
        self.unit = unit
        self.limit = limit
        self.left = left
        self.needed = needed
        self.resets_at = resets_at


class BudgetCannotBound(BudgetExceeded):
    """What the call may cost is not known: `needed` is None."""

    kind = "budget_cannot_bound"


class ChannelFailed(LLMManagerError):
    kind = "channel_failed"


class StoreError(LLMManagerError):
    kind = "store_error"


class StateTooNew(StoreError):
    kind = "state_too_new"


class StateDamaged(StoreError):
    kind = "state_damaged"


class StateBusy(StoreError):
    kind = "state_busy"


class LedgerDamaged(StoreError):
    kind = "ledger_damaged"


class LedgerTooNew(StoreError):
    kind = "ledger_too_new"


class RecordNotKept(StoreError):
    kind = "record_not_kept"


class ExportStopped(StoreError):
    kind = "export_stopped"


class VaultError(StoreError):
    """`state` is the word of `keys.VaultStatus` for it: absent, locked, wrong_key, corrupt, too_new, or ok."""

    kind = "vault_error"
    state: ClassVar[str] = "ok"


class VaultAbsent(VaultError):
    kind = "vault_absent"
    state = "absent"


class VaultLocked(VaultError):
    kind = "vault_locked"
    state = "locked"


class VaultKeyWrong(VaultError):
    kind = "vault_key_wrong"
    state = "wrong_key"


class VaultDamaged(VaultError):
    kind = "vault_damaged"
    state = "corrupt"


class VaultTooNew(VaultError):
    kind = "vault_too_new"
    state = "too_new"


class VaultBusy(VaultError):
    kind = "vault_busy"


class VaultNotWritten(VaultError):
    """A change did not reach the disk; the vault is as it was before."""

    kind = "vault_not_written"


class KeyDamaged(VaultError):
    kind = "key_damaged"


class UnsafeFolder(StoreError):
    kind = "unsafe_folder"


class QueryError(LLMManagerError):
    kind = "query_error"


class QueryRefused(QueryError):
    kind = "query_refused"


class QueryFailed(QueryError):
    kind = "query_failed"


class QueryTooLong(QueryError):
    kind = "query_too_long"


class SampleWorkspace(LLMManagerError):
    kind = "sample_workspace"
