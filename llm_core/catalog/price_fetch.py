"""Gets the newest price list from genai-prices' own repository. Only ever on demand."""

from __future__ import annotations

from datetime import UTC, datetime

from ..errors import Unreachable, UnreadableAnswer
from .price_table import PriceTable

_HINT = "The prices in use stay as they are. A newer version of the package genai-prices brings a newer list too."


def fetched(url: str | None = None) -> PriceTable:
    """The list as of now, compiled with our corrections. Raises Unreachable, UnreadableAnswer."""
    import httpx2
    from genai_prices.update_prices import DEFAULT_UPDATE_URL, UpdatePrices

    from .price_compile import compiled

    updater = UpdatePrices(url=url or DEFAULT_UPDATE_URL)
    try:
        snapshot = updater.fetch()
    except httpx2.HTTPError as error:
        where = httpx2.URL(updater.url).host
        raise Unreachable(f"The price list could not be fetched from {where}: {_why(error)}.", _HINT) from None
    except (ValueError, LookupError) as error:
        raise UnreadableAnswer(f"What was fetched is no price list: {type(error).__name__}.", _HINT) from None
    if snapshot is None:
        raise UnreadableAnswer("What was fetched is no price list.", _HINT)
    return compiled(snapshot.providers, f"genai-prices of {datetime.now(UTC):%Y-%m-%d}")


def _why(error: Exception) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    return f"it answered {status}" if status else type(error).__name__
