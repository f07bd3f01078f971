"""Samples of the parts of a record, as LivePerson documents them, with places to fill (``samples.json``).

A text that is just ``$name`` becomes the fact of that name, whatever its type; its member is left out if the fact is
``ABSENT``. Within a longer text, ``$name`` is replaced by the fact's text.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

import msgspec

ABSENT = object()
SAMPLES: dict[str, Any] = msgspec.json.decode(Path(__file__).with_name("samples.json").read_bytes())

Facts = Mapping[str, Any]


def filled(name: str, facts: Facts) -> Any:
    """The sample of this name with the facts in their places."""
    return _filled(SAMPLES[name], facts)


def as_texts(value: Any) -> Any:
    """The same with every number and every true or false as a text, as the first version sends attributes."""
    if isinstance(value, dict):
        return {name: as_texts(member) for name, member in value.items()}
    if isinstance(value, list):
        return [as_texts(member) for member in value]
    return value if value is None or isinstance(value, str) else str(value)


def _filled(sample: Any, facts: Facts) -> Any:
    if isinstance(sample, str):
        return _fact(sample, facts) if "$" in sample else sample
    if isinstance(sample, dict):
        members = ((name, _filled(member, facts)) for name, member in sample.items())
        return {name: member for name, member in members if member is not ABSENT}
    if isinstance(sample, list):
        return [_filled(member, facts) for member in sample]
    return sample


def _fact(text: str, facts: Facts) -> Any:
    name = text[1:]
    return facts[name] if text[0] == "$" and name in facts else Template(text).substitute(facts)
