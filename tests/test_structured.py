"""What `schema=` takes, and how an answer becomes `reply.parsed`."""

from __future__ import annotations

import pydantic
import pytest

from llm_core.errors import InvalidParameters
from llm_core.structured import as_json_schema, parse

CITY = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


class City(pydantic.BaseModel):
    name: str


@pytest.mark.parametrize("text", ['{"name": "Rome"}', '```json\n{"name": "Rome"}\n```', '```\n{"name": "Rome"}\n```\n'])
def test_json_is_read_with_and_without_a_fence(text: str) -> None:
    assert parse(text, CITY) == ({"name": "Rome"}, None)
    assert parse(text, City) == (City(name="Rome"), None)


@pytest.mark.parametrize("schema", [CITY, City])
@pytest.mark.parametrize("text", ["Rome", '{"name": 7}', "{}", ""])
def test_an_answer_that_does_not_fit_says_why_and_is_not_parsed(text: str, schema: object) -> None:
    value, why = parse(text, schema)
    assert value is None
    assert why is not None
    assert why.startswith(("The answer is not JSON", "The answer does not fit"))


def test_a_pydantic_class_gives_its_own_schema() -> None:
    made = as_json_schema(City)
    assert made is not None
    assert made["required"] == ["name"]


def test_what_is_no_schema_is_refused() -> None:
    with pytest.raises(InvalidParameters):
        as_json_schema("an object with a name")
