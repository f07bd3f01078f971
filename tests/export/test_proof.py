"""Proving exports of random windows over a socket: each that has changed is named, and no other."""

from __future__ import annotations

import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from upath import UPath

from airflow_provider_lp.export.manifest import Exports
from airflow_provider_lp.export.proof import Proof
from airflow_provider_lp.sandbox import Account, Conversation, Sandbox
from airflow_provider_lp.windows import Window
from tests.export.test_download import accounts, offsets
from tests.exported import connect, export
from tests.fake_clock import FakeClock
from tests.samples import MARK, NOW, at

TIME_FIELDS = ("start", "end", "full_dialog_end")


@settings(max_examples=25, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(
    conversations=accounts(),
    cuts=st.lists(offsets, min_size=1, max_size=4, unique=True),
    time_field=st.sampled_from(TIME_FIELDS),
    data=st.data(),
)
def test_just_the_windows_that_have_changed_are_named(
    conversations: list[Conversation], cuts: list[int], time_field: str, data: Any
) -> None:
    bounds = sorted({at(10) - MARK, *(at(10) + cut for cut in cuts), at(10) + 30 * MARK})
    period = Window(bounds[0], bounds[-1])
    erased = data.draw(st.sets(st.sampled_from(range(len(conversations)))))
    lost = data.draw(st.sets(st.sampled_from(range(len(bounds) - 1)), max_size=1))
    left = [each for number, each in enumerate(conversations) if number not in erased]
    with tempfile.TemporaryDirectory() as folder:
        before = Account.of(conversations, now=NOW)
        with Sandbox(before) as sandbox, connect(sandbox, FakeClock()) as client:
            exports = Exports.of(
                export(client, Window(*window), Path(folder) / f"{number}.ndjson", time_field=time_field)
                for number, window in enumerate(pairwise(bounds))
            )
            assert Proof(client, UPath, verify_checksums=True).differences(exports, period) == []
        for number in lost:
            (Path(folder) / f"{number}.ndjson").unlink()
        after = Account.of(left, now=NOW)
        with Sandbox(after) as sandbox, connect(sandbox, FakeClock()) as client:
            found = Proof(client, UPath).differences(exports, period)
    changed = [
        Window(*window)
        for number, window in enumerate(pairwise(bounds))
        if number in lost or before.truth(time_field, *window) != after.truth(time_field, *window)
    ]
    assert [difference.window for difference in found] == changed
    assert all(difference.path is not None for difference in found)
