import gc
import os
import tempfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from ingest.models import FileImport
from ingest.tests.makers import minute_counts

pytestmark = pytest.mark.django_db

LINES = "timestamp,status,count\n2026-03-04 12:00:00,approved,100\n2026-03-04 12:00:00,denied,9\n"


@pytest.fixture(autouse=True)
def copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def _piped(text: str) -> None:
    reading, writing = os.pipe()
    os.write(writing, text.encode())
    os.close(writing)
    try:
        call_command("import_counts", Path(f"/dev/fd/{reading}"), verbosity=0, skip_checks=True)
    finally:
        os.close(reading)


def test_counts_come_in_by_a_pipe(copies: Path) -> None:
    _piped(LINES)
    assert sorted(minute_counts().values()) == [9, 100]
    gc.collect()
    assert list(copies.iterdir()) == []


def test_the_same_lines_by_a_pipe_are_known_again() -> None:
    _piped(LINES)
    _piped(LINES)
    assert FileImport.objects.count() == 1


def test_what_comes_by_a_pipe_and_is_no_file_of_counts_is_refused() -> None:
    with pytest.raises(CommandError, match="the first line must name timestamp"):
        _piped("one,two\n")
