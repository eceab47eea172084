"""Breaks the engine one line at a time, in a copy, and runs the fast tests on it: each break must be noticed (`make mutants`).

`python -m tests.simulation.mutants [WORD…]` runs those whose name holds one of the words. Exits non-zero if one survives.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from app import localservers

ROOT = Path(__file__).resolve().parent.parent.parent
TESTS = ("tests/simulation/test_random_journeys.py", "tests/stages", "tests/journeys")


class Mutant(NamedTuple):
    """A break: what it would mean to an operator, where, and the text before and after."""

    name: str
    file: str
    before: str
    after: str


MUTANTS = (
    Mutant(
        "the visit limit comes one visit early",
        "flows/interpret.py",
        "if count > plan.visit_limit",
        "if count >= plan.visit_limit",
    ),
    Mutant(
        "a wait does not say when it began",
        "flows/interpret.py",
        "            one.rested_at = one.arrived_at\n",
        "",
    ),
    Mutant(
        "an event goes on waking further waits",
        "flows/interpret.py",
        "one.waiting, one.woken_by = False, None",
        "one.woken_by = None",
    ),
    Mutant("a tag that was taken is still seen", "flows/interpret.py", "    facts.tags -= take\n", ""),
    Mutant(
        "an attribute that was removed is still seen", "flows/interpret.py", "facts.attributes.pop(name, None)", "pass"
    ),
    Mutant(
        "ends are not counted",
        "flows/interpret.py",
        'record.tally[plan.version_id, step.id, "!end"] += len(members)',
        "pass",
    ),
    Mutant(
        "an open port gives no port in its reason",
        "flows/interpret.py",
        'Status.COMPLETED, f"{step.id}.{port}"',
        "Status.COMPLETED, step.id",
    ),
    Mutant(
        "a goal counts one instant too short",
        "flows/match.py",
        "event.timestamp > traveller.since + target.within",
        "event.timestamp >= traveller.since + target.within",
    ),
    Mutant("a goal from before the entry counts", "flows/match.py", "or event.timestamp < traveller.since", ""),
    Mutant("events of another key count", "flows/match.py", "key_of(event.properties, path) == traveller.key", "True"),
    Mutant(
        "exit rules come before goals",
        "flows/match.py",
        'if _hits(one.plan.goal, one, event):\n            gone.append((one, "goal"))',
        'if _hits(one.plan.exit_when, one, event):\n            gone.append((one, "exit_when"))',
    ),
    Mutant(
        "a cool-down is an instant too long",
        "flows/match.py",
        "return at - place.entered_at >= plan.cooldown",
        "return at - place.entered_at > plan.cooldown",
    ),
    Mutant("who walks may enter again", "flows/match.py", "    if place.active:\n        return False\n", ""),
    Mutant(
        "an entry does not ask the contact",
        "flows/match.py",
        "return start is None or start.when is None or bool",
        "return True or bool",
    ),
    Mutant(
        "a time-out beats the event of the same instant",
        "app/rounds.py",
        "one.wake_at < arrived and",
        "one.wake_at <= arrived and",
    ),
    Mutant(
        "waits that ended before a letter are not ended first",
        "app/rounds.py",
        "    _catch_up(passage, standing, posts)\n",
        "",
    ),
    Mutant(
        "entries are decided before waits have ended",
        "app/rounds.py",
        "    settle(passage, standing, waking)\n    entering: list[Traveller] = []\n",
        "    entering: list[Traveller] = waking\n",
    ),
    Mutant(
        "an event of this batch is not history yet",
        "app/rounds.py",
        "        remember(here.facts.events, post.event)\n",
        "        pass\n",
    ),
    Mutant(
        "an entry of this batch is forgotten",
        "app/rounds.py",
        "place.active, place.entered_at = True, at",
        "place.active = False",
    ),
    Mutant(
        "an awaited event moves people in a paused journey",
        "app/rounds.py",
        "    if one.plan.paused:\n",
        "    if False:\n",
    ),
    Mutant(
        "a stopped journey goes on for who gets an event",
        "app/rounds.py",
        "    if one.plan.stopped:\n",
        "    if False:\n",
    ),
    Mutant(
        "a late event is put at the end of the history",
        "app/walk.py",
        "while place and past[place - 1].timestamp > event.timestamp",
        "while False",
    ),
    Mutant(
        "visits are forgotten at rest",
        "app/walk.py",
        "one.visits = enrollments.visits_of(row.visits)",
        "one.visits = None",
    ),
    Mutant(
        "walks of one contact that end together do not see each other",
        "app/walk.py",
        "if len({one.contact for one in travellers}) == len(travellers)",
        "if True",
    ),
    Mutant("a finished walk keeps its place", "app/store/enrollments.py", "    return one.id\n", "    return 0\n"),
    Mutant(
        "of two walks only one looks back to its entry",
        "app/facts.py",
        "lowest[one.contact] = min(since, lowest.get(one.contact, since))",
        "lowest[one.contact] = since",
    ),
    Mutant(
        "an outage folds waits together",
        "app/stages/timers.py",
        "return due if now - due <= TOLERANCE else now",
        "return due",
    ),
    Mutant(
        "a limit cuts between walks that end together",
        "app/stages/timers.py",
        "    if not left:\n",
        "    if True:\n",
    ),
    Mutant(
        "a late walk's next wait ends after the others, however early",
        "app/walk.py",
        "if due and one.status is Status.ACTIVE",
        "if False and one.status is Status.ACTIVE",
    ),
    Mutant(
        "a journey published again loses its turn",
        "app/walk.py",
        "return one.wake_at, one.plan.journey_id, one.id",
        "return one.wake_at, one.plan.version_id, one.id",
    ),
    Mutant(
        "a late wait counts an event that arrived after it",
        "app/facts.py",
        "post.event.name in book.counted or post.entries",
        "post.entries",
    ),
    Mutant(
        "a late wait sees what an entry after it has done",
        "app/facts.py",
        "post.event.name in book.counted or post.entries",
        "post.event.name in book.counted",
    ),
    Mutant(
        "a late wait sees what a merge after it has brought",
        "app/stages/match.py",
        "                moved += _end_waits(connection, plans, merging, now)\n",
        "",
    ),
    Mutant("a timer overtakes a letter", "app/stages/timers.py", "if row.contact_id not in blocked", ""),
    Mutant("a paused journey's timers go on", "app/stages/timers.py", "elif one.plan.paused:", "elif False:"),
)


def copy(folder: Path) -> None:
    """The tracked files, as they stand in the working tree."""
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    for name in filter(None, names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)


def first_failure(folder: Path, environment: dict[str, str]) -> str | None:
    """The name of the first test that fails; None if all pass."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-x",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:randomly",
        "--tb=no",
        *TESTS,
    ]
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if ran.returncode == 0:
        return None
    failed = [line for line in ran.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return failed[0].partition("::")[2][:160] if failed else f"exit {ran.returncode}: {ran.stdout[-300:]}"


def main(words: list[str]) -> int:
    """Run the mutants; prints one line each."""
    survived = 0
    with (
        tempfile.TemporaryDirectory() as temporary,
        localservers.start(Path(temporary) / "servers", fsync=False) as servers,
    ):
        environment = {
            **os.environ,
            "TEST_DATABASE_URL": str(servers.database_url),
            "TEST_REDIS_URL": str(servers.redis_url),
            "PYTHONDONTWRITEBYTECODE": "1",
            "SIMULATE_QUICK": "1",
        }
        folder = Path(temporary) / "copy"
        copy(folder)
        subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
        for mutant in (one for one in MUTANTS if not words or any(word in one.name for word in words)):
            file = folder / mutant.file
            whole = file.read_text(encoding="utf-8")
            if whole.count(mutant.before) != 1:
                sys.exit(f"{mutant.name}: {mutant.file} holds the text {whole.count(mutant.before)} times")
            file.write_text(whole.replace(mutant.before, mutant.after), encoding="utf-8")
            begun = time.monotonic()
            failure = first_failure(folder, environment)
            file.write_text(whole, encoding="utf-8")
            survived += failure is None
            print(f"{time.monotonic() - begun:5.0f} s  {mutant.name}: {failure or 'SURVIVED'}", flush=True)  # noqa: T201
    return survived


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 1))
