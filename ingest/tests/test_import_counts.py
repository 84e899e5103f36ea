from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ingest import steady_clock
from ingest.models import FileImport, MinuteCount, Report, Source
from ingest.recording.bulk import write
from ingest.services import claim_late_hours, importing
from ingest.tests.makers import NOON, counts_of_rows, make_report, minute_counts, record, total

pytestmark = pytest.mark.usefixtures("database")

BY_STATUS = "timestamp,status,count\n"
BY_CODE = "timestamp,auth_code,count\n"
AT = "2026-03-04 12:00:00"
STATUS_FILE = BY_STATUS + f"{AT},approved,100\n{AT},denied,9\n{AT},failed,2\n"
CODE_FILE = BY_CODE + f"{AT},00,100\n{AT},51,5\n{AT},59,4\n"
SPLIT = {("approved", "00"): 100, ("denied", "51"): 5, ("denied", "59"): 4, ("failed", "00"): 2}


def run(path: Path, text: str | bytes, **options: Any) -> None:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    call_command("import_counts", path, verbosity=0, skip_checks=True, **options)


def split() -> dict[tuple[str, str], int]:
    return {key[2:]: count for key, count in minute_counts().items()}


def test_counts_by_status_are_imported(csv_file: Path) -> None:
    run(csv_file, STATUS_FILE)
    assert split() == {("approved", "00"): 100, ("denied", "00"): 9, ("failed", "00"): 2}


def test_counts_by_code_are_approved_or_denied(csv_file: Path) -> None:
    run(csv_file, CODE_FILE)
    assert split() == {("approved", "00"): 100, ("denied", "51"): 5, ("denied", "59"): 4}


@pytest.mark.parametrize("order", ["sc", "cs", "scsc", "ccss", "cscs"])
def test_both_files_count_once_in_whatever_order(csv_file: Path, order: str) -> None:
    for letter in order:
        run(csv_file, STATUS_FILE if letter == "s" else CODE_FILE, again=True)
    assert split() == SPLIT
    assert minute_counts() == counts_of_rows()


def test_codes_that_come_in_parts_still_leave_the_total(csv_file: Path) -> None:
    run(csv_file, STATUS_FILE)
    for line in ("51,5", "59,4"):
        run(csv_file, BY_CODE + f"{AT},{line}\n")
    assert split() == SPLIT


def test_a_corrected_code_leaves_the_total(csv_file: Path) -> None:
    for text in (STATUS_FILE, CODE_FILE, BY_CODE + f"{AT},51,3\n"):
        run(csv_file, text)
    assert split() == {**SPLIT, ("denied", "51"): 3, ("denied", "00"): 2}


def test_codes_that_exceed_the_total_are_told_and_corrected_with_it(
    csv_file: Path, capsys: Any
) -> None:
    run(csv_file, STATUS_FILE)
    run(csv_file, BY_CODE + f"{AT},51,12\n")
    assert "At 1 timestamp more is denied by code than by status" in capsys.readouterr().err
    run(csv_file, BY_CODE + f"{AT},51,5\n")
    run(csv_file, STATUS_FILE, again=True)
    assert capsys.readouterr().err == ""
    assert (split()["denied", "51"], split()["denied", "00"]) == (5, 4)


def test_a_file_with_both_columns_is_taken_as_it_is(csv_file: Path) -> None:
    run(csv_file, f"count;auth_code;status;timestamp\n7;96;failed;{AT}\n")
    assert split() == {("failed", "96"): 7}


def test_the_same_file_again_changes_nothing(csv_file: Path) -> None:
    run(csv_file, STATUS_FILE)
    record(make_report(150))
    run(csv_file, STATUS_FILE)
    assert split()["approved", "00"] == 150
    assert FileImport.objects.count() == 1


def test_an_interrupted_import_goes_on(csv_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "CHUNK_LINES", 10)
    text = BY_STATUS + "".join(f"2026-03-04 12:{n:02}:00,approved,1\n" for n in range(45))
    written = list[int]()

    def failing(*args: Any) -> int:
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(write(*args))
        return written[-1]

    with monkeypatch.context() as patch:
        patch.setattr("ingest.recording.bulk.write", failing)
        with pytest.raises(KeyboardInterrupt):
            run(csv_file, text)
    assert (total(), FileImport.objects.get().lines) == (20, 21)
    run(csv_file, text)
    assert total() == 45
    assert FileImport.objects.get().finished is not None


def test_naive_times_are_in_the_zone_of_the_source(csv_file: Path) -> None:
    Source.objects.create(name="south", time_zone="America/Sao_Paulo")
    run(csv_file, BY_STATUS + "2026-03-04 09:00:00,approved,1\n", source="south")
    assert MinuteCount.objects.get().minute == NOON


def test_a_new_source_takes_the_zone_that_is_given(csv_file: Path) -> None:
    text = BY_STATUS + "2026-03-04 09:00:00,approved,1\n"
    run(csv_file, text, source="south", time_zone="America/Sao_Paulo")
    assert MinuteCount.objects.get().minute == NOON
    assert Source.objects.get().time_zone == "America/Sao_Paulo"


def test_of_a_key_twice_in_a_file_the_last_wins(csv_file: Path) -> None:
    run(csv_file, BY_STATUS + f"{AT},approved,1\n{AT},approved,3\n")
    assert total() == 3


def test_who_loses_a_line_to_a_later_one_is_told(csv_file: Path, capsys: Any) -> None:
    run(csv_file, BY_STATUS + f"{AT},approved,1\n{AT},denied,1\n" + f"{AT},approved,3\n" * 2)
    assert "2 lines were replaced by a later one" in capsys.readouterr().err
    run(csv_file, STATUS_FILE)
    assert "replaced" not in capsys.readouterr().err


def test_who_loses_an_hour_as_the_clock_is_set_back_is_told_how_to_write_it(
    csv_file: Path, capsys: Any
) -> None:
    at, zone = "2025-11-02 01:30:00", "America/New_York"
    run(csv_file, BY_STATUS + f"{at},approved,1\n" * 2 + f"{AT},denied,1\n" * 2, time_zone=zone)
    assert "1 of them in an hour that the clock of America/New_York shows twice" in (
        capsys.readouterr().err
    )
    run(csv_file, BY_STATUS + f"{at}-04:00,approved,1\n{at}-05:00,approved,1\n", time_zone=zone)
    assert (capsys.readouterr().err, total()) == ("", 3)


def test_lines_that_will_be_forgotten_at_once_are_told(
    csv_file: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steady_clock, "now", lambda: NOON)
    run(csv_file, STATUS_FILE + "2001-03-04 12:00:00,approved,1\n")
    assert "1 line is older than counts are kept" in capsys.readouterr().err
    run(csv_file, STATUS_FILE)
    assert capsys.readouterr().err == ""


def test_windows_line_ends_a_byte_order_mark_and_quotes_are_taken(csv_file: Path) -> None:
    text = '\ufeff"timestamp","status","count"\r\n"2026-03-04T12:00Z","approved","4"\r\n\r\n'
    run(csv_file, text)
    assert minute_counts() == {("default", NOON, "approved", "00"): 4}


@pytest.mark.parametrize("separator", [",", ";"])
def test_a_separator_within_quotes_separates_nothing(csv_file: Path, separator: str) -> None:
    lines = [
        ["timestamp", "merchant", "status", "count"],
        [AT, '"Shop, Inc; ""X"""', "denied", "4"],
    ]
    run(csv_file, "".join(separator.join(line) + "\n" for line in lines))
    assert split() == {("denied", "00"): 4}


def test_counts_of_several_sources_are_not_mixed_into_one(csv_file: Path) -> None:
    text = "source,timestamp,status,count\n"
    with pytest.raises(CommandError, match="among them shop and bank"):
        run(csv_file, text + f"shop,{AT},approved,1\nshop,{AT},denied,1\nbank,{AT},approved,3\n")
    assert not Report.objects.exists()
    run(csv_file, text + f"shop,{AT},approved,1\n\nshop,{AT},denied,1\n")
    assert total() == 2


BAD_LINES = [
    (f'{AT},approved,"1,000"', "count “1,000”"),
    (f'"{AT},approved,1', "1 columns"),
    pytest.param(f'"{200_000 * "x"}",approved,1', "field larger", id="long"),
    (f"{AT},approved", "2 columns"),
    (f"{AT},approved,1,2", "4 columns"),
    (f"{AT},declined,1", "status"),
    (f"{AT},Approved,1", "status"),
    (f"{AT},,1", "status"),
    (f"{AT},approved,", "count"),
    (f"{AT},approved,-1", "count"),
    (f"{AT},approved,1.5", "count"),
    (f"{AT},approved,1e3", "count"),
    (f"{AT},approved,one", "count"),
    (f"{AT},approved,٣", "count"),
    (f"{AT},approved,1000000000001", "count"),
    ("yesterday,approved,1", "timestamp"),
    (",approved,1", "timestamp"),
    ("2026-02-30 12:00:00,approved,1", "timestamp"),
    ("2999-01-01 00:00:00,approved,1", "timestamp"),
    ("1969-01-01 00:00:00,approved,1", "timestamp"),
    (f"{AT},appro\0ved,1", "status"),
    ("timestamp,status,count", "status"),
]


@pytest.mark.parametrize(("line", "reason"), BAD_LINES)
def test_a_bad_line_is_named_and_nothing_imported(
    csv_file: Path, capsys: pytest.CaptureFixture[str], line: str, reason: str
) -> None:
    with pytest.raises(CommandError, match="1 bad line: nothing was imported"):
        run(csv_file, STATUS_FILE + line + "\n")
    told = capsys.readouterr().err
    assert "line 5: " in told
    assert reason in told
    assert not Report.objects.exists()
    assert not Source.objects.exists()


def test_a_line_that_is_not_utf8_is_named(csv_file: Path) -> None:
    with pytest.raises(CommandError, match="1 bad line:"):
        run(csv_file, STATUS_FILE.encode() + b"\xff\xfe,approved,1\n")


@pytest.mark.parametrize("code", ["", "0", "000", "0" * 17, "４", "4111111111111111"])
def test_a_bad_code_is_named(csv_file: Path, code: str) -> None:
    with pytest.raises(CommandError, match="1 bad line:"):
        run(csv_file, BY_CODE + f"{AT},{code},1\n")


def test_good_lines_are_imported_where_bad_ones_may_be_left_out(csv_file: Path) -> None:
    run(csv_file, STATUS_FILE + f"{AT},declined,1\n", skip_bad=True)
    assert total() == 111


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "a,b,c\n1,2,3\n",
        "timestamp,count\n",
        "timestamp,status\n",
        "timestamp,timestamp,status,count\n",
    ],
)
def test_a_file_without_the_columns_is_refused(csv_file: Path, text: str) -> None:
    with pytest.raises(CommandError, match="first line must name"):
        run(csv_file, text)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32-be"])
def test_a_file_in_another_encoding_is_told_so(csv_file: Path, encoding: str) -> None:
    with pytest.raises(CommandError, match="is not a text in UTF-8"):
        run(csv_file, STATUS_FILE.encode(encoding))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_counts", tmp_path / "none.csv", skip_checks=True)


@pytest.mark.parametrize(
    "options",
    [
        {"source": "a b"},
        {"source": ".."},
        {"source": Source.CANARY},
        {"time_zone": "Mars/Olympus"},
        {"time_zone": "right/UTC"},
    ],
)
def test_a_bad_option_is_refused(csv_file: Path, options: dict[str, str]) -> None:
    with pytest.raises(CommandError, match="--"):
        run(csv_file, STATUS_FILE, **options)
    assert not Report.objects.exists()


def test_imported_hours_are_queued_for_another_look(csv_file: Path) -> None:
    run(csv_file, STATUS_FILE)
    assert [hour for _source, hour in claim_late_hours(limit=10)] == [NOON]
