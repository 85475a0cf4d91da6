"""Takes keys out of text: those this process holds, in every form they are written in, and what looks like any other.

What it knows it keeps until the process ends, since a client may hold a key longer than we do. `guards.py` puts it in
front of logs, warnings, tracebacks and errors.
"""

from __future__ import annotations

import base64
import json
import re
from urllib.parse import quote, quote_plus

MASK = "***"
SHORTEST = 8
"""A shorter key would take ordinary words out of every text. No vendor makes one."""
_GRAM = 8
"""So many letters of a key in a row are already too many to show."""
_MOST = 256

_BEGINNINGS = (
    *("sk-", "rk-", "pk-", "xai-", "pplx-", "nvapi-", "gsk_", "hf_", "r8_", "ghp_", "github_pat_"),
    *("ya29.", "AIza", "AKIA", "AQ.", "eyJ"),
)
"""How the keys of well-known vendors begin."""
_KEY_LIKE = re.compile(rf"\b(?:{'|'.join(map(re.escape, _BEGINNINGS))})(?=[-\w.*]*[\d*])[-\w.*]{{8,}}")
"""With a digit or a star in it, so that `hf_hub_download` stays."""
_NAMED = re.compile(
    r"""(?ix)
    ( \b(?:bearer|basic)\s+(?=\S*[\d=*])
    | [?&](?:api[-_]?key|key|access[-_]token|token)=
    | \b(?:x-)?(?:api-key|goog-api-key|authorization)(?-i:\\?['"])?\s*[:=,]\s*(?:\\?['"])?(?:(?:bearer|basic)\s+)?
    )
    (?!\*\*\*) [-\w.~+/*=%]{8,}
    """
)
"""A value that stands where keys stand: in a header, or in a URL's query."""
_NAMES = ("earer", "asic", "key", "token", "uthorization", "EARER", "KEY", "TOKEN", "Key", "AUTHORIZATION")
_WORD = re.compile(r"[^\s\"'<>(){}\[\],;]+")

_forms_of: dict[str, tuple[str, ...]] = {}


def know(key: str) -> None:
    """From now on this key is taken out of everything that goes through here; the guards are set up with the first."""
    if len(key) < SHORTEST or key in _forms_of:
        return
    _forms_of[key] = _forms(key)
    while len(_forms_of) > _MOST:
        _forms_of.pop(next(iter(list(_forms_of))), None)
    from .guards import install

    install()


def redacted(text: str, key: str | None = None) -> str:
    """`text` with *** for every known key and for what looks like one.

    With `key`, also for any word that holds eight letters of it in a row: providers quote parts of a refused key.
    """
    if key:
        text = text.replace(key, MASK)
        if len(key) >= SHORTEST:
            text = _without_parts(text, _forms(key))
    text = _without_known(text)
    if any(beginning in text for beginning in _BEGINNINGS):
        text = _KEY_LIKE.sub(MASK, text)
    if any(name in text for name in _NAMES):
        text = _NAMED.sub(rf"\1{MASK}", text)
    return text


def holds_known(text: str) -> bool:
    """Whether a key of this process is in it."""
    return any(form in text for forms in list(_forms_of.values()) for form in forms)


def _without_known(text: str) -> str:
    found = [form for forms in list(_forms_of.values()) for form in forms if form in text]
    for form in sorted(found, key=len, reverse=True):  # one key may be the beginning of another
        text = text.replace(form, MASK)
    return text


def _without_parts(text: str, forms: tuple[str, ...]) -> str:
    grams = {form[start : start + _GRAM] for form in forms for start in range(len(form) - _GRAM + 1)}

    def shown(found: re.Match[str]) -> str:
        word = found.group()
        return MASK if any(word[at : at + _GRAM] in grams for at in range(len(word) - _GRAM + 1)) else word

    return _WORD.sub(shown, text)


def _forms(key: str) -> tuple[str, ...]:
    """As it is, as Python shows it, in JSON, in a URL and in base64, each once."""
    in_json = json.dumps(key)[1:-1]
    forms = [key, repr(key)[1:-1], in_json, in_json.replace("/", "\\/")]
    forms += [quote(key, safe=""), quote(key), quote_plus(key)]
    forms += _base64_forms(key)
    return tuple(dict.fromkeys(form for form in forms if len(form) >= SHORTEST))


def _base64_forms(key: str) -> list[str]:
    """Inside a longer base64 text a key reads in one of three ways, by where it begins; its ends mix with others."""
    raw = key.encode()
    parts = [base64.b64encode(b"\0" * shift + raw).decode()[4:-4] for shift in range(3)]
    return [form for part in parts for form in (part, part.translate(_URL_SAFE))]


_URL_SAFE = str.maketrans("+/", "-_")
