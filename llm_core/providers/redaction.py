"""Takes keys out of text that came from outside, before it may reach an error, a page or a log."""

from __future__ import annotations

import base64
import re
from urllib.parse import quote

LONGEST = 600
_GRAM = 8
"""So many letters of the key in a row are already too many to show."""
_KEY_LIKE = re.compile(
    r"\b(?:[srp]k-|xai-|pplx-|gsk_|hf_|r8_|ghp_|ya29\.|AIza|AKIA|eyJ)[-\w.*]{8,}|\b[Bb]earer\s+\S+",
)
"""How the keys of well-known vendors begin, and tokens in a header."""
_WORD = re.compile(r"[^\s\"'<>(){}\[\],;]+")


def redacted(text: str, key: str | None) -> str:
    """One line of at most LONGEST letters without `key`, whole or in part, as it is or encoded, and without what looks
    like any other key."""
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    if key:
        text = text.replace(key, "***")
        forms = (key, quote(key, safe=""), *_base64_forms(key))
        grams = {form[start : start + _GRAM] for form in forms for start in range(len(form) - _GRAM + 1)}
        text = _WORD.sub(lambda found: "***" if _shares(found.group(), grams) else found.group(), text)
    text = _KEY_LIKE.sub("***", text)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _shares(word: str, grams: set[str]) -> bool:
    return any(word[start : start + _GRAM] in grams for start in range(len(word) - _GRAM + 1))


def _base64_forms(key: str) -> list[str]:
    """A key inside a longer base64 text reads differently by where it begins; the ends mix with their neighbours."""
    raw = key.encode()
    return [base64.b64encode(b"\0" * shift + raw).decode()[4:-4] for shift in range(3)]
