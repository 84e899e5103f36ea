"""Prove the dashboards: `python -m deploy.grafana.check [--scenes empty,healthy,...]`.

It starts the real parts, brings them into each state, runs every query of every panel and rule, and
compares key panels with what is known to be true. All scenes take about ten minutes.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence

from deploy.bench.stack import Missing
from deploy.grafana.build import stale
from deploy.grafana.checking.answers import Answer, Sources
from deploy.grafana.checking.claims import Check, Claim
from deploy.grafana.checking.scenes import SCENES
from deploy.grafana.checking.stack import running


def _chosen(arguments: Sequence[str]) -> list[str]:
    names = [scene.__name__ for scene in SCENES]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--scenes", default=",".join(names), help=f"of {', '.join(names)}")
    chosen: list[str] = parser.parse_args(arguments).scenes.split(",")
    if unknown := set(chosen) - set(names):
        parser.error(f"there is no scene {', '.join(sorted(unknown))}")
    return chosen


def _list(answers: Sequence[Answer]) -> None:
    """Print panel by panel: source, result, query."""
    board = ""
    for answer in answers:
        if answer.question.board != board:
            board = answer.question.board
            print(f"\n{board}")
        asked = answer.question
        print(
            f"  {asked.panel[:34]:<34} {asked.source:<10} {answer.told[:24]:<24} {asked.text[:90]}"
        )


def _count(answers: Sequence[Answer]) -> None:
    panels = {(answer.question.board, answer.question.panel) for answer in answers}
    print("\nPanels and other questions by dashboard:")
    for board, number in Counter(board for board, _panel in panels).items():
        print(f"  {board:<28} {number}")


def _tell(claims: Sequence[Claim]) -> bool:
    print()
    for claim in claims:
        mark = "ok  " if claim.holds else "FAIL"
        print(f"{mark} {claim.scene:<8} {claim.what}: wanted {claim.wanted}, got {claim.got}")
    return all(claim.holds for claim in claims)


def main(arguments: Sequence[str]) -> int:
    chosen = _chosen(arguments)
    if behind := stale():
        print(f"Out of step, run python -m deploy.grafana.build: {behind}", file=sys.stderr)
        return 1
    started = time.monotonic()
    with running() as stack:
        check = Check(stack, Sources(stack.prometheus, stack.database))
        for scene in SCENES:
            if scene.__name__ in chosen:
                print(f"[{time.monotonic() - started:5.0f} s] {scene.__name__}: {scene.__doc__}")
                sys.stdout.flush()
                scene(check)
        check.sources.close()
    shown = check.last.get("healthy") or next(iter(check.last.values()))
    _list(shown)
    _count(shown)
    for error in check.errors[:20]:
        print(f"{error.question.board} / {error.question.panel}: {error.error}")
    held = _tell(check.claims)
    print(
        f"\n{'Every claim holds' if held else 'NOT every claim holds'};"
        f" {time.monotonic() - started:.0f} s"
    )
    return 0 if held else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Missing as missing:
        sys.exit(str(missing))
