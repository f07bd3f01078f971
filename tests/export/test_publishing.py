from __future__ import annotations

import hashlib
from collections.abc import Generator
from pathlib import Path

import pytest
from upath import UPath

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.export.publishing import publish_object
from tests.exported import plain


@pytest.fixture(params=["", ".gz", ".zst"])
def suffix(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    if chosen == ".zst":
        pytest.importorskip("backports.zstd")
    return chosen


class TroubleError(Exception):
    """What goes wrong while the content comes."""


def chunks(*parts: bytes, error: BaseException | None = None) -> Generator[bytes, None, None]:
    yield from parts
    if error is not None:
        raise error


def test_an_object_holds_its_chunks_and_is_measured(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x.csv{suffix}"
    published = publish_object(chunks(b"a,b\n", b"", b"1,2\n" * 5_000), UPath(str(path)))
    assert plain(path) == b"a,b\n" + b"1,2\n" * 5_000
    assert published.bytes == path.stat().st_size
    assert published.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_an_object_without_content_is_an_empty_one(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x.ndjson{suffix}"
    published = publish_object(chunks(), UPath(str(path)))
    assert plain(path) == b""
    assert published.bytes == path.stat().st_size


@pytest.mark.parametrize("error", [TroubleError(), KeyboardInterrupt()], ids=repr)
def test_trouble_leaves_what_was_there_and_nothing_else(tmp_path: Path, suffix: str, error: BaseException) -> None:
    path = tmp_path / f"x.csv{suffix}"
    path.write_bytes(b"earlier")
    with pytest.raises(type(error)):
        publish_object(chunks(b"x" * 100_000, error=error), UPath(str(path)))
    assert path.read_bytes() == b"earlier"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_visible_before_all_has_come(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"

    def looking() -> Generator[bytes, None, None]:
        yield b"a" * (1 << 20)
        assert not path.exists()
        yield b"b"

    publish_object(looking(), UPath(str(path)))
    assert path.stat().st_size == (1 << 20) + 1


def test_what_is_not_wanted_in_the_end_is_not_published(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"earlier")
    come: list[bytes] = []

    def content() -> Generator[bytes, None, None]:
        come.append(b"x")
        yield b"x"

    publish_object(content(), UPath(str(path)), is_wanted=lambda: not come)
    assert path.read_bytes() == b"earlier"
    assert list(tmp_path.iterdir()) == [path]
    assert come


def test_a_path_that_cannot_be_written_shows_before_any_content_is_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    started = False

    def content() -> Generator[bytes, None, None]:
        nonlocal started
        started = True
        yield b"x"

    with pytest.raises(LivePersonConfigurationError, match="cannot be written"):
        publish_object(content(), UPath(str(tmp_path / "file" / "x.csv")))
    assert not started


def test_the_content_is_closed_whatever_happens(tmp_path: Path) -> None:
    closed = 0

    def content() -> Generator[bytes, None, None]:
        nonlocal closed
        try:
            yield b"x"
            yield b"y"
        finally:
            closed += 1

    def refuse() -> bool:
        raise TroubleError

    with pytest.raises(TroubleError):
        publish_object(content(), UPath(str(tmp_path / "x.csv")), is_wanted=refuse)
    begun = content()
    next(begun)
    (tmp_path / "folder").mkdir()
    with pytest.raises(LivePersonConfigurationError):
        publish_object(begun, UPath(str(tmp_path / "folder")))
    assert closed == 2
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
