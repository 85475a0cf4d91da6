"""A key in this process's memory, wrapped so that it cannot be shown, copied or written out by accident."""

from __future__ import annotations

import re
from typing import Any, NoReturn

from ..errors import InvalidInput
from .redaction import know

HINT_LENGTH = 4
SHORTEST_WITH_HINT = 20
"""Four letters of a shorter key would give away too much of it."""
_TAKEN = re.compile("[!-~]+")


class Secret:
    """Holds a key. Only `reveal()` gives it; printing, formatting, pickling and copying do not."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Raises InvalidInput for what no provider can take. From here on redaction knows the key."""
        self._value = self.checked(value)
        know(self._value)

    @staticmethod
    def checked(value: str) -> str:
        """The key without space around it, which comes along when it is pasted or read from a file.

        Raises InvalidInput where it is empty or holds a blank, a control character or a letter outside ASCII.
        """
        text = value.strip() if isinstance(value, str) else ""
        if not text:
            raise InvalidInput("The key is empty.", "Paste the whole key as the provider shows it.")
        if not _TAKEN.fullmatch(text):
            raise InvalidInput(
                "The key holds a blank, a line break or a letter outside ASCII, which no provider accepts.",
                "Paste the key alone, without quotes or other text.",
            )
        return text

    def reveal(self) -> str:
        return self._value

    @property
    def hint(self) -> str | None:
        """The last four letters of a long key, to tell two apart; None for a short one."""
        return self._value[-HINT_LENGTH:] if len(self._value) >= SHORTEST_WITH_HINT else None

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("A key cannot be copied or pickled.")
