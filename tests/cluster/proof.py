"""Whether what lies in a folder is what the sandbox has: read without the code that wrote it."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Proof:
    """
    What was found below a folder.

    :param objects: how many objects with conversations.
    :param conversations: how many lines they have.
    :param manifests: how many manifests.
    :param flaws: what is wrong, in words; empty if each conversation is there once, and nothing else.
    """

    objects: int
    conversations: int
    manifests: int
    flaws: list[str]


def prove(root: Path, truth: Sequence[str]) -> Proof:
    """
    Compare all objects of a folder with what they should hold together.

    :param truth: the ids of all conversations.
    """
    files = sorted(path for path in root.rglob("*") if path.is_file())
    objects = [path for path in files if path.name.endswith(".ndjson.gz")]
    ids: Counter[str] = Counter()
    for path in objects:
        ids.update(
            json.loads(line)["info"]["conversationId"] for line in gzip.decompress(path.read_bytes()).splitlines()
        )
    wrong = {
        "conversations are missing": set(truth) - ids.keys(),
        "conversations are there that the sandbox does not have": ids.keys() - set(truth),
        "conversations are there more than once": {each for each, times in ids.items() if times > 1},
        "files are no objects and no manifest": {str(path) for path in files if path.suffix not in (".gz", ".json")},
    }
    flaws = [f"{len(found)} {what}, such as {min(found)}" for what, found in wrong.items() if found]
    manifests = [path for path in files if path.suffix == ".json"]
    for path in manifests:
        told = json.loads(path.read_bytes())
        counted = (len(told["objects"]), told["totals"]["conversations"])
        if counted != (len(objects), len(truth)):
            flaws.append("{} tells of {} objects with {} conversations".format(path, *counted))
    return Proof(len(objects), ids.total(), len(manifests), flaws)
