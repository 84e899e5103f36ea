"""A webhook leads out of the house, never back into it."""

import socket
from typing import Any

import pytest

from alerts.channels.apprise_bridge import refuse_private_host
from alerts.channels.base import ChannelError
from alerts.channels.webhook import public_address

INSIDE = [
    "http://127.0.0.1/",
    "http://127.1/",
    "http://2130706433/",
    "http://0/",
    "http://0.0.0.0/",
    "http://localhost/",
    "http://10.1.2.3/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://100.64.0.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:10.0.0.1]/",
    "http://[2002:0a00:0001::1]/",
    "http://[64:ff9b::10.0.0.1]/",
    "http://[fd00::1]/",
    "http://[fec0::1]/",
    "http://[fe80::1%25lo]/",
    "http://224.0.0.1/",
    "http://240.0.0.1/",
]
NO_WEB_ADDRESS = [
    "file:///etc/passwd",
    "gopher://x/",
    "ftp://example.com/",
    "//x",
    "x",
    "",
    "http://",
]


@pytest.mark.parametrize("url", INSIDE)
def test_an_address_inside_the_network_is_refused(url: str) -> None:
    with pytest.raises(ChannelError) as refusal:
        public_address(url)
    assert refusal.value.permanent or "not known" in str(refusal.value)


@pytest.mark.parametrize("url", NO_WEB_ADDRESS)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(ChannelError):
        public_address(url)


def _answering(*addresses: str) -> Any:
    return lambda *args, **kwargs: [(0, 0, 0, "", (address, 443)) for address in addresses]


def test_a_name_that_is_partly_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _answering("93.184.216.34", "10.0.0.1"))
    with pytest.raises(ChannelError, match="private"):
        public_address("https://two-faced.example/")


def test_the_address_that_was_looked_at_is_the_one_that_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _answering("93.184.216.34"))
    assert public_address("https://good.example/") == "93.184.216.34"


@pytest.mark.parametrize("url", ["json://127.0.0.1/", "gotify://10.0.0.1/t", "xml://[::1]/"])
def test_apprise_is_no_way_around_it(url: str) -> None:
    with pytest.raises(ChannelError):
        refuse_private_host(url)


def test_the_token_of_a_service_is_not_asked_of_the_name_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: pytest.fail("looked up"))
    refuse_private_host("slack://TokenA/TokenB/TokenC/")
