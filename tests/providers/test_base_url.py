"""Which base URLs are taken, in which spelling, and which never. The second list is what attackers write."""

from __future__ import annotations

import pytest

from llm_core.errors import InvalidConnection
from llm_core.providers.base_url import checked_base_url, refusal

TAKEN = {
    "https://api.openai.com/v1": "https://api.openai.com/v1",
    "https://API.OpenAI.com/v1/": "https://api.openai.com/v1",
    "HTTPS://api.example.com:443/v1": "https://api.example.com/v1",
    "http://api.example.com:80": "http://api.example.com",
    "https://api.example.com:8443/openai/v1//": None,
    "  https://api.example.com/v1  ": "https://api.example.com/v1",
    "https://api.example.com./v1": "https://api.example.com/v1",
    "http://localhost:11434/v1": "http://localhost:11434/v1",
    "http://127.0.0.1:8080/v1": "http://127.0.0.1:8080/v1",
    "http://[::1]:8080/v1": "http://[::1]:8080/v1",
    "http://[0:0:0:0:0:0:0:1]/v1": "http://[::1]/v1",
    "http://10.0.0.5:8000/v1": "http://10.0.0.5:8000/v1",
    "http://192.168.1.20/v1": "http://192.168.1.20/v1",
    "http://172.16.0.1/v1": "http://172.16.0.1/v1",
    "http://[fd12:3456::1]/v1": "http://[fd12:3456::1]/v1",
    "http://[::ffff:10.0.0.1]/v1": "http://[::ffff:a00:1]/v1",
    "http://gpu-box.local:8000/v1": "http://gpu-box.local:8000/v1",
    "http://my_vllm:8000/v1": "http://my_vllm:8000/v1",
    "https://bücher.example/v1": "https://xn--bcher-kva.example/v1",
    "https://my-resource.openai.azure.com/openai/v1/": "https://my-resource.openai.azure.com/openai/v1",
    "https://api.example.com/a%20b/v1": "https://api.example.com/a%20b/v1",
}

REFUSED = [
    "",
    "   ",
    "api.openai.com/v1",
    "//api.openai.com/v1",
    "ftp://api.example.com/v1",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "gopher://127.0.0.1:6379/_x",
    "https://",
    "https:///v1",
    "https://user:password@api.example.com/v1",
    "https://api.openai.com@evil.example/v1",
    "https://api.openai.com:443@evil.example/v1",
    "https://evil.example/v1#api.openai.com",
    "https://api.example.com/v1#",
    "https://api.example.com/v1?key=1",
    "https://api.example.com/v1?",
    "https://api.example.com/v1/../admin",
    "https://api.example.com/v1/%2e%2e/admin",
    "https://api.example.com//evil.example/v1",
    "https://api.example.com\\@evil.example/v1",
    "https://api.example.com/v1\r\nHost: evil.example",
    "https://api.example.com/\tv1",
    "https://api example.com/v1",
    "https://api..example.com/v1",
    "https://-api.example.com/v1",
    "https://api.example.com:0/v1",
    "https://api.example.com:99999/v1",
    "https://api.example.com:http/v1",
    "http://169.254.169.254/latest/meta-data",
    "http://169.254.170.2/v2/credentials",
    "http://169.254.169.254./v1",
    "http://2852039166/v1",
    "http://0xA9FEA9FE/v1",
    "http://0xa9.0xfe.0xa9.0xfe/v1",
    "http://0251.0376.0251.0376/v1",
    "http://169.254.43518/v1",
    "http://127.1/v1",
    "http://0177.0.0.1/v1",
    "http://017700000001/v1",
    "http://2130706433/v1",
    "http://0/v1",
    "http://0.0.0.0:8000/v1",
    "http://[::]:8000/v1",
    "http://①⑥⑨.②⑤④.①⑥⑨.②⑤④/v1",
    "http://１６９.254.169.254/v1",
    "http://169。254。169。254/v1",
    "http://[::ffff:169.254.169.254]/v1",
    "http://[::ffff:a9fe:a9fe]/v1",
    "http://[::a9fe:a9fe]/v1",
    "http://[64:ff9b::169.254.169.254]/v1",
    "http://[64:ff9b:1::a9fe:a9fe]/v1",
    "http://[::ffff:0:169.254.169.254]/v1",
    "http://[2002:a9fe:a9fe::1]/v1",
    "http://[fe80::1]/v1",
    "http://[fe80::1%25eth0]/v1",
    "http://[fd00:ec2::254]/v1",
    "http://metadata.google.internal/v1",
    "http://METADATA.google.internal./v1",
    "http://metadata/v1",
    "http://instance-data/latest",
    "http://100.100.100.200/v1",
    "http://168.63.129.16/v1",
    "http://224.0.0.1/v1",
    "http://255.255.255.255/v1",
    "http://[ff02::1]/v1",
    "http://[::1/v1",
    "http://::1/v1",
    "http://1.2.3.4.5/v1",
    "http://256.1.1.1/v1",
    "http://example.1/v1",
]


@pytest.mark.parametrize(("typed", "kept"), [(typed, kept) for typed, kept in TAKEN.items() if kept])
def test_an_endpoint_is_kept_in_one_spelling(typed: str, kept: str) -> None:
    assert checked_base_url(typed) == kept
    assert checked_base_url(kept) == kept


@pytest.mark.parametrize("typed", [*REFUSED, *(typed for typed, kept in TAKEN.items() if kept is None)])
def test_a_spelling_that_may_lead_elsewhere_is_refused(typed: str) -> None:
    with pytest.raises(InvalidConnection) as caught:
        checked_base_url(typed)
    assert caught.value.hint


@pytest.mark.parametrize(
    "typed", ["https://me:hunter2secret@api.example.com/v1", "https://api.example.com/v1?key=hunter2secret"]
)
def test_a_secret_in_a_refused_url_is_not_repeated(typed: str) -> None:
    with pytest.raises(InvalidConnection) as caught:
        checked_base_url(typed)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "::1", "10.1.2.3", "192.168.0.1", "fd12::1", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"],
)
def test_ordinary_addresses_may_be_called(address: str) -> None:
    assert refusal(address) is None
