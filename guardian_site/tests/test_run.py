"""What `manage.py run` says when it cannot start."""

import errno
import os
from pathlib import Path

import pytest
from django.core.management import CommandError
from pytest_django import Settings

from guardian_site.embedded import running

pytestmark = pytest.mark.django_db


def test_a_disk_without_room_is_told_by_its_setting(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(command: str, **_options: object) -> None:
        if command == "collectstatic":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    settings.DATA_DIR = tmp_path
    monkeypatch.setattr(running, "call_command", full)
    with pytest.raises(CommandError, match=f"GUARDIAN_DATA_DIR={tmp_path}: No space left"):
        running.run_guardian(host="127.0.0.1", port=18_999)
