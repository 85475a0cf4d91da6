"""Addresses made from what people know of a mail server or a webhook are read by apprise as they were meant."""

from __future__ import annotations

import pytest

from llm_core.errors import InvalidAlert
from llm_core.usage.alerts.addresses import mail, webhook
from llm_core.usage.alerts.sending import _made, service_of


def test_a_mail_server_with_odd_letters_in_user_and_password_is_read_as_it_was_given() -> None:
    made = _made(mail("smtp.example.com", "team@example.com", port=2525, user="ann@example.com", password="p@s:/s?#1"))
    assert (made.smtp_host, made.port, made.user, made.password) == (
        "smtp.example.com",
        2525,
        "ann@example.com",
        "p@s:/s?#1",
    )
    assert made.from_addr[1] == "ann@example.com"
    assert [address for _, address in made.targets] == ["team@example.com"]
    assert made.secure


def test_a_webhooks_query_goes_with_the_request() -> None:
    made = _made(webhook("https://example.com/a/hook?token=x%26y&b="))
    assert (made.secure, made.host, made.fullpath) == (True, "example.com", "/a/hook")
    assert made.params == {"token": "x&y", "b": ""}
    assert service_of(webhook("http://127.0.0.1:9/hook")) == "JSON"


@pytest.mark.parametrize("url", ["", "example.com/hook", "ftp://example.com", "https://"])
def test_what_is_no_webhook_is_refused(url: str) -> None:
    with pytest.raises(InvalidAlert, match="no address of a webhook"):
        webhook(url)


@pytest.mark.parametrize(
    ("host", "to", "user"),
    [("", "a@b.example", "c@d.example"), ("smtp.example", "", "c@d.example"), ("smtp.example", "a@b.example", "ann")],
)
def test_mail_without_host_from_or_to_is_refused(host: str, to: str, user: str) -> None:
    with pytest.raises(InvalidAlert, match="missing"):
        mail(host, to, user=user)
