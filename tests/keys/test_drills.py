"""The short forms of the vault's drills; `make drill` runs the long ones."""

from __future__ import annotations

import pytest

from tests.drills import keys as drill

pytestmark = pytest.mark.drill


def test_kill_9_while_keys_are_rotated_loses_none() -> None:
    outcome = drill.kills(drill.SHORT_KILLS)
    assert outcome.ok, outcome


def test_eight_first_runs_at_once_make_one_master_key() -> None:
    outcome = drill.first_runs(drill.SHORT_ROUNDS)
    assert outcome.ok, outcome


def test_the_vault_holds_what_a_dictionary_holds_through_crashes_and_other_processes() -> None:
    outcome = drill.model(drill.SHORT_EXAMPLES, drill.SHORT_STEPS)
    assert outcome.ok, outcome
