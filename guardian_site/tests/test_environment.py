from pathlib import Path

import pytest

from guardian_site import environment


def test_it_reads_a_secret_from_the_file_it_is_pointed_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("from-a-file\n")
    monkeypatch.delenv("SLACK_BOT_TOKEN", raising=False)
    monkeypatch.setenv("SLACK_BOT_TOKEN_FILE", str(tmp_path / "token"))
    assert environment.text("SLACK_BOT_TOKEN") == "from-a-file"


def test_it_refuses_a_setting_given_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_CHANNEL", "C1")
    monkeypatch.setenv("SLACK_CHANNEL_FILE", "/nowhere")
    with pytest.raises(environment.SettingError, match="both set"):
        environment.text("SLACK_CHANNEL")


def test_it_names_the_file_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.setenv("REDIS_URL_FILE", "/nowhere/at/all")
    with pytest.raises(environment.SettingError, match=r"REDIS_URL_FILE=/nowhere/at/all"):
        environment.text("REDIS_URL")


@pytest.mark.parametrize(
    ("value", "expected"), [("on", True), ("1", True), ("No", False), ("", False)]
)
def test_it_reads_a_flag(value: str, expected: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARDIAN_DEBUG", value)
    assert environment.flag("GUARDIAN_DEBUG", default=not expected) is expected


@pytest.mark.parametrize("value", ["maybe", "2", "oui"])
def test_it_refuses_a_flag_it_cannot_read(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARDIAN_DEBUG", value)
    with pytest.raises(environment.SettingError, match="write on or off"):
        environment.flag("GUARDIAN_DEBUG")


@pytest.mark.parametrize("value", ["", "8o01", "0", "65536", "-1", "1.5"])
def test_it_refuses_a_number_out_of_range(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARDIAN_PORT", value)
    with pytest.raises(environment.SettingError, match="1 to 65535"):
        environment.whole("GUARDIAN_PORT", 8001, 1, 65535)


def test_a_made_secret_is_kept_for_its_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GUARDIAN_SECRET_KEY", raising=False)
    path = tmp_path / "deep" / "secret_key"
    first = environment.kept_secret("GUARDIAN_SECRET_KEY", path)
    assert environment.kept_secret("GUARDIAN_SECRET_KEY", path) == first
    path.chmod(0o644)
    assert environment.kept_secret("GUARDIAN_SECRET_KEY", path) == first
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("value", ["", "short", "x" * 31])
def test_it_refuses_a_secret_that_can_be_guessed(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUARDIAN_SECRET_KEY", value)
    with pytest.raises(environment.SettingError, match="32 or more random characters"):
        environment.secret("GUARDIAN_SECRET_KEY")


def test_it_names_the_file_that_holds_no_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_bytes(b"\xff\xfe")
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.setenv("REDIS_URL_FILE", str(tmp_path / "token"))
    with pytest.raises(environment.SettingError, match="token: this is no text"):
        environment.text("REDIS_URL")


def test_a_kept_secret_that_cannot_be_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GUARDIAN_SECRET_KEY", raising=False)
    with pytest.raises(environment.SettingError, match="Mend it, or set GUARDIAN_SECRET_KEY"):
        environment.kept_secret("GUARDIAN_SECRET_KEY", tmp_path)


@pytest.mark.parametrize("held", ["", "\n", "short"])
def test_a_kept_secret_that_can_be_guessed_is_refused(
    held: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GUARDIAN_SECRET_KEY", raising=False)
    path = tmp_path / "secret_key"
    path.write_text(held)
    with pytest.raises(environment.SettingError, match="secret_key holds fewer than 32"):
        environment.kept_secret("GUARDIAN_SECRET_KEY", path)
