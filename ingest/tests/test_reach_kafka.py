"""How brokers are reached is said in the address: by TLS, as whom, with which password."""

import pytest

from ingest.streaming.kafka_topic import KafkaTopic, servers_and_settings
from ingest.tests.streams import KafkaDoor


def test_what_the_address_says_reaches_the_client(kafka_door: KafkaDoor) -> None:
    said = "security.protocol=sasl_ssl&sasl.mechanisms=NONE"
    servers, more = servers_and_settings(f"kafka://127.0.0.1:1?{said}")
    with pytest.raises(ValueError, match="Unsupported SASL mechanism: NONE"):
        KafkaTopic(servers, kafka_door.name, "guardian", **more)


@pytest.mark.parametrize("said", ["sasl.pasword=hush", "security.protocol=tls&sasl.password=hush"])
def test_what_the_client_does_not_take_is_told_without_the_rest(
    kafka_door: KafkaDoor, said: str
) -> None:
    servers, more = servers_and_settings(f"kafka://127.0.0.1:1?{said}")
    with pytest.raises(ValueError, match=r"GUARDIAN_STREAM_URL: .*(pasword|tls)") as refused:
        KafkaTopic(servers, kafka_door.name, "guardian", **more)
    assert "hush" not in str(refused.value)


def test_a_password_may_hold_any_sign() -> None:
    _servers, more = servers_and_settings("kafka://one:9093?sasl.password=a%2Bb%26c%25%23")
    assert more == {"sasl.password": "a+b&c%#"}
