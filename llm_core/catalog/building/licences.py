"""Reads the catalogue inside gpustack's wheel: under which licence open weights are given."""

from __future__ import annotations

from typing import Any

from .said import Said

MEMBER = "gpustack/assets/model-catalog.yaml"
_SPDX = {"apache-2.0": "Apache-2.0", "mit": "MIT", "cc-by-nc-4.0": "CC-BY-NC-4.0"}
"""The names that SPDX has; others stay as their vendor writes them."""


def said(catalogue: dict[str, Any]) -> Said:
    """The weights are named as on Hugging Face. Those in 8 bits have the licence of the ones they were made from."""
    found: dict[str, dict[str, Any]] = {}
    for family in catalogue["model_sets"]:
        licences = [_SPDX.get(each, each) for each in family.get("licenses", ())]
        for spec in family["specs"]:
            weights = spec.get("huggingface_repo_id")
            if weights and licences:
                for name in (weights, weights.removesuffix("-FP8")):
                    found.setdefault(name, {"licence": " or ".join(licences)})
    return {"huggingface": found}
