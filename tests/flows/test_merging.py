"""Two flows that came from one: put together by the server as the editor puts them together, to the letter."""

import json
import subprocess
from copy import deepcopy
from random import Random
from typing import Any

from flows.merging import merge, same
from tests.conftest import ROOT
from tests.js.node import environment

Json = Any
CASES = 300
NODE = """
import { merge } from "./static/js/canvas/merge.js";
let text = "";
for await (const part of process.stdin) text += part;
console.log(JSON.stringify(JSON.parse(text).map(({ base, mine, theirs, choices }) => {
  const { document, conflicts, mine: own, theirs: other } = merge(base, mine, theirs, new Map(Object.entries(choices)));
  return { document, conflicts: conflicts.map(({ kind, id, key, what }) => [kind, id, key, what]), own, other };
})));
"""


def made(size: int = 6) -> dict[str, Json]:
    nodes = [
        {"id": f"s{n}", "type": "wait.duration", "version": 1, "settings": {"n": n}, "x": n * 300, "y": 0}
        for n in range(size)
    ]
    edges = [{"from": f"s{n}", "port": "next", "to": f"s{n + 1}"} for n in range(size - 1)]
    notes, groups = [{"id": "n", "text": "hello"}], [{"id": "g", "title": "G", "nodes": ["s1", "s2"]}]
    return {"schema": 1, "settings": {"priority": 50}, "nodes": nodes, "edges": edges, "notes": notes, "groups": groups}


def meddled(  # noqa: C901 one deed after the other
    document: dict[str, Json], random: Random, name: str
) -> dict[str, Json]:
    """Something done to a flow, a few times."""
    after = deepcopy(document)
    for _ in range(random.randint(0, 7)):
        node = random.choice(after["nodes"]) if after["nodes"] else None
        deed = random.randrange(9)
        if node is None or deed == 0:
            after["nodes"].append({"id": f"{name}{random.randrange(99)}", "type": "exit", "version": 1, "settings": {}})
        elif deed == 1:
            node["settings"] = {**node["settings"], "by": f"{name}{random.randrange(3)}"}
        elif deed == 2:
            node["name"] = f"{name}{random.randrange(3)}"
        elif deed == 3:
            node["x"] = random.randrange(1000)
        elif deed == 4:
            after["nodes"].remove(node)
            after["edges"] = [wire for wire in after["edges"] if node["id"] not in (wire["from"], wire["to"])]
        elif deed == 5 and after["edges"]:
            random.choice(after["edges"])["to"] = node["id"]
        elif deed == 6:
            after["settings"]["priority"] = random.randrange(3)
        elif deed == 7:
            after["notes"] = [{"id": "n", "text": f"{name}{random.randrange(3)}"}] if random.random() < 0.7 else []
        elif after["edges"]:
            after["edges"].pop(random.randrange(len(after["edges"])))
    ids = [one["id"] for one in after["nodes"]]
    after["nodes"] = [one for place, one in enumerate(after["nodes"]) if one["id"] not in ids[:place]]
    return after


def test_the_server_merges_as_the_editor_does() -> None:
    random = Random(20261122)
    cases = []
    for _ in range(CASES):
        base = made()
        case = {"base": base, "mine": meddled(base, random, "m"), "theirs": meddled(base, random, "t"), "choices": {}}
        found = merge(case["base"], case["mine"], case["theirs"])
        case["choices"] = {
            one.key: random.choice(["mine", "theirs"]) for one in found.conflicts if random.random() < 0.7
        }
        cases.append(case)
    done = subprocess.run(
        ["node", "--input-type=module", "-e", NODE],
        cwd=ROOT,
        env=environment(),
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        check=True,
    )
    clashed = 0
    for case, expected in zip(cases, json.loads(done.stdout), strict=True):
        ours = merge(**case)
        assert same(ours.document, expected["document"]), json.dumps(case)
        assert [[*one[:3], list(one.what)] for one in ours.conflicts] == expected["conflicts"], json.dumps(case)
        assert (ours.mine, ours.theirs) == (expected["own"], expected["other"])
        clashed += bool(ours.conflicts)
    assert CASES // 8 < clashed < CASES, "both kinds came up"


def test_what_neither_changed_stays_and_what_one_changed_is_taken() -> None:
    base = made()
    mine, theirs = deepcopy(base), deepcopy(base)
    mine["nodes"][1]["settings"]["n"] = 7
    theirs["nodes"][2]["name"] = "Theirs"
    found = merge(base, mine, theirs)
    assert found.conflicts == []
    assert found.document["nodes"][1]["settings"]["n"] == 7
    assert found.document["nodes"][2]["name"] == "Theirs"
    assert (found.mine, found.theirs) == (["s1"], ["s2"])
