"""How the names of exported objects end."""

from __future__ import annotations

import pytest

SUFFIXES = ("", ".gz", ".zst")


@pytest.fixture(params=SUFFIXES)
def suffix(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    if chosen == ".zst":
        pytest.importorskip("backports.zstd")
    return chosen
