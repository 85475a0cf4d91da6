"""Whether a model can be used, in one word, by stated rules: what MODEL_STATES means, as code."""

from __future__ import annotations

from datetime import datetime


def state_of(
    now: datetime,
    *,
    enabled: bool = True,
    failed: bool = False,
    listed: bool | None = None,
    own: bool = False,
    lifecycle: str | None = None,
    retires_at: datetime | None = None,
    end_is_told: bool = False,
    deprecated: bool = False,
) -> str:
    """One of MODEL_STATES. The first rule that holds counts.

    1. `shut_down`: the provider calls it retired, or its end has passed. A list that still names it after an end that
       only we know of, or that calls it active or deprecated itself, proves the end wrong or overdue.
    2. `unreachable`: the connection is switched off, or its last check failed.
    3. `not_on_key`: the connection's last list lacks it. A model that a person added is not expected in a list.
    4. `deprecated`: its end is announced, and the provider does not call it active.
    5. `available`: the last list names it.
    6. `unknown`: the connection was never asked, has no list, or a person added the model.

    `listed` is None where there is no list to look into; `end_is_told`: `retires_at` is from that list or the person.
    """
    told_alive = listed is True and (lifecycle in ("active", "deprecated") or not end_is_told)
    if lifecycle == "retired" or (retires_at is not None and retires_at <= now and not told_alive):
        return "shut_down"
    if not enabled or failed:
        return "unreachable"
    if listed is False and not own:
        return "not_on_key"
    if lifecycle == "deprecated" or ((deprecated or retires_at is not None) and lifecycle != "active"):
        return "deprecated"
    return "available" if listed else "unknown"
