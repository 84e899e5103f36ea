"""Write the dashboards as JSON: `python -m deploy.grafana.build`; `--check` only compares."""

import json
import sys
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana import executive, history, incidents, objectives, pipeline, realtime
from deploy.grafana.frame import Sheet, laid_out
from deploy.grafana.portuguese import in_portuguese

FOLDER = Path(__file__).with_name("dashboards")
SHEETS: tuple[Sheet, ...] = (
    realtime.SHEET,
    objectives.SHEET,
    incidents.SHEET,
    history.SHEET,
    executive.SHEET,
    pipeline.SHEET,
)


def board(sheet: Sheet) -> dict[str, Any]:
    """Return a dashboard as Grafana reads it."""
    text = json.dumps(laid_out(sheet).build(), cls=JSONEncoder)
    built: dict[str, Any] = json.loads(text)
    for number, panel in enumerate(built["panels"], start=1):
        panel["id"] = number
    return built


def files() -> dict[Path, str]:
    """Return what each file should hold."""
    found = {}
    for sheet in SHEETS:
        built = board(sheet)
        name = sheet.uid.removeprefix("guardian-") + ".json"
        for language, told in (("en", built), ("pt-br", in_portuguese(built))):
            text = json.dumps(told, indent=2, ensure_ascii=False, sort_keys=True)
            found[FOLDER / language / name] = text + "\n"
    return found


def stale() -> list[Path]:
    """Return the files that are not what they should be, and those that should not be there."""
    wanted = files()
    wrong = [path for path, text in wanted.items() if not path.exists() or path.read_text() != text]
    return sorted({*wrong, *(set(FOLDER.glob("*/*.json")) - set(wanted))})


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        behind = stale()
        for path in behind:
            print(f"{path.relative_to(FOLDER)} is out of step", file=sys.stderr)
        return 1 if behind else 0
    for path in set(FOLDER.glob("*/*.json")) - set(files()):
        path.unlink()
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
