"""The cryptography alone: what opens what, and what does not."""

from __future__ import annotations

import os

import pytest

from llm_core.keys.envelope import DataKey, InvalidTag, Kdf, MasterKey, Sealed, joined

from .vaults import KEY, PASSPHRASE

PLACE = joined("1", "id", "openai", "openai", "api.openai.com", "1")


def test_every_bit_of_a_sealed_key_counts() -> None:
    key = DataKey.random("store")
    sealed = key.seal(KEY, PLACE)
    assert key.open(sealed, PLACE) == KEY
    for name in ("nonce", "ciphertext"):
        raw = getattr(sealed, name)
        for bit in range(len(raw) * 8):
            changed = bytearray(raw)
            changed[bit // 8] ^= 1 << bit % 8
            other = Sealed(**{"nonce": sealed.nonce, "ciphertext": sealed.ciphertext, name: bytes(changed)})
            with pytest.raises(InvalidTag):
                key.open(other, PLACE)


def test_it_opens_in_its_own_place_and_store_alone() -> None:
    key = DataKey.random("store")
    sealed = key.seal(KEY, PLACE)
    elsewhere = DataKey(key.reveal(), "another")
    for opener, place in (
        (elsewhere, PLACE),
        (key, joined("1", "id", "openai", "openai", "evil.example", "1")),
        (key, joined("1", "i", "dopenai", "openai", "api.openai.com", "1")),
        (key, b""),
        (key.renewed(), PLACE),
    ):
        with pytest.raises(InvalidTag):
            opener.open(sealed, place)


def test_the_parts_of_a_place_cannot_be_shifted() -> None:
    assert len({joined("ab", "c"), joined("a", "bc"), joined("abc"), joined("ab", "c", ""), joined("", "ab", "c")}) == 5


def test_no_nonce_comes_twice() -> None:
    key = DataKey.random("store")
    assert len({key.seal(KEY, PLACE).nonce for _ in range(10_000)}) == 10_000


def test_only_its_master_key_unwraps_a_data_key_and_only_in_its_store() -> None:
    master, data = MasterKey.random("store"), DataKey.random("store")
    wrapped = master.wrap(data)
    assert master.unwrap(wrapped, "store").reveal() == data.reveal()
    same = MasterKey(master.reveal(), "store")
    assert same.id == master.id
    assert same.unwrap(wrapped, "store").reveal() == data.reveal()
    with pytest.raises(InvalidTag):
        MasterKey.random("store").unwrap(wrapped, "store")
    with pytest.raises(InvalidTag):
        MasterKey(master.reveal(), "another").unwrap(wrapped, "store")
    assert MasterKey(master.reveal(), "another").id != master.id


def test_a_canary_and_a_signature_are_known_by_their_own_key_alone() -> None:
    key, other = DataKey.random("store"), DataKey.random("store")
    assert key.knows(key.canary())
    assert not other.knows(key.canary())
    assert not key.knows(key.seal(KEY, joined("canary")))
    assert key.signed(b"head", key.sign(b"head"))
    assert not key.signed(b"Head", key.sign(b"head"))
    assert not other.signed(b"head", key.sign(b"head"))


def test_a_renewed_key_keeps_the_fingerprints_alone() -> None:
    key = DataKey.random("store")
    new = key.renewed()
    assert new.fingerprint(KEY) == key.fingerprint(KEY) != DataKey.random("store").fingerprint(KEY)
    assert not new.knows(key.canary())


def test_a_passphrase_gives_one_key_for_one_salt() -> None:
    cheap = Kdf(salt=os.urandom(16), memory_kib=19 * 1024, passes=2, lanes=1)
    other = Kdf(salt=os.urandom(16), memory_kib=19 * 1024, passes=2, lanes=1)
    made = MasterKey.from_passphrase(PASSPHRASE, cheap, "store")
    assert made.id == MasterKey.from_passphrase(PASSPHRASE, cheap, "store").id
    assert made.id != MasterKey.from_passphrase(PASSPHRASE + " ", cheap, "store").id
    assert made.id != MasterKey.from_passphrase(PASSPHRASE, other, "store").id


def test_the_default_cost_is_what_the_design_says() -> None:
    kdf = Kdf(salt=bytes(16))
    assert (kdf.memory_kib, kdf.passes, kdf.lanes) == (64 * 1024, 3, 4)


def test_a_data_key_of_another_length_is_no_key() -> None:
    for length in (0, 32, 63, 65):
        with pytest.raises(InvalidTag):
            DataKey(bytes(length), "store")
