"""Publishing to a local file."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import stat
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from upath import UPath

from airflow_provider_lp.client.errors import LivePersonConfigurationError, LivePersonServerError
from airflow_provider_lp.export.publishing import publish_batches
from airflow_provider_lp.export.spool import Batch
from airflow_provider_lp.sandbox import Fault
from tests.exported import connect, export
from tests.fake_clock import FakeClock
from tests.samples import crowd

from .stored_batches import DAY_WINDOW, FAILURES, batches, full_disk
from .test_paging import rows


def test_a_file_appears_when_it_is_complete(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x.ndjson{suffix}"

    def watched() -> Generator[Batch, None, None]:
        for batch in batches():
            assert list(tmp_path.iterdir()) == []
            yield batch

    publish_batches(watched(), UPath(path))
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("earlier", [None, "earlier\n"])
def test_a_failure_in_the_middle_leaves_everything_as_it_was(
    tmp_path: Path, suffix: str, failure: type[BaseException], earlier: str | None
) -> None:
    path = tmp_path / f"x.ndjson{suffix}"
    if earlier:
        path.write_text(earlier)
    before = list(tmp_path.iterdir())
    with pytest.raises(failure):
        publish_batches(batches(error=failure), UPath(path))
    assert list(tmp_path.iterdir()) == before
    assert not earlier or path.read_text() == earlier


def test_an_export_that_fails_after_some_pages_leaves_everything_as_it_was(
    sandbox_of: Any, clock: FakeClock, tmp_path: Path, suffix: str
) -> None:
    sandbox = sandbox_of(*crowd(900))
    sandbox.add_fault(Fault("error_500", times=None, after=6))
    path = tmp_path / f"x.ndjson{suffix}"
    path.write_text("earlier\n")
    with connect(sandbox, clock) as client, pytest.raises(LivePersonServerError):
        export(client, DAY_WINDOW, path)
    assert path.read_text() == "earlier\n"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupted_wait_leaves_everything_as_it_was(sandbox_of: Any, tmp_path: Path) -> None:
    class Interrupted(FakeClock):
        def sleep(self, seconds: float) -> None:
            if seconds:
                raise KeyboardInterrupt

    sandbox = sandbox_of(*crowd(900))
    sandbox.add_fault(Fault("throttle", times=1, after=4))
    with connect(sandbox, Interrupted()) as client, pytest.raises(KeyboardInterrupt):
        export(client, DAY_WINDOW, tmp_path / "x.ndjson")
    assert list(tmp_path.iterdir()) == []


def test_the_next_run_replaces_the_object(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x.ndjson{suffix}"
    publish_batches(batches(10), UPath(path))
    longer = path.read_bytes()
    publish_batches(batches(1, line=b'{"b":2}\n'), UPath(path))
    assert path.read_bytes() != longer
    assert list(tmp_path.iterdir()) == [path]


def test_missing_folders_are_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "x.ndjson"
    publish_batches(batches(), UPath(path))
    assert path.stat().st_size == 8_000


def test_the_file_has_the_permissions_of_any_new_file(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        publish_batches(batches(), UPath(tmp_path / "x.ndjson"))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x.ndjson").stat().st_mode) == 0o640


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "x.ndjson").write_text("earlier")
    (tmp_path / "x.ndjson").symlink_to(tmp_path / "real" / "x.ndjson")
    publish_batches(batches(), UPath(tmp_path / "x.ndjson"))
    assert (tmp_path / "x.ndjson").is_symlink()
    assert (tmp_path / "real" / "x.ndjson").stat().st_size == 8_000


@pytest.mark.parametrize(
    "name", ["日" * 80 + ".ndjson", "x" * 248 + ".ndjson", "with space & ünï.ndjson", "%41#?.ndjson"]
)
def test_any_name_that_the_file_system_takes_will_do(tmp_path: Path, name: str) -> None:
    publish_batches(batches(), UPath(tmp_path / name))
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_a_full_disk_leaves_everything_as_it_was(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x.ndjson{suffix}"
    path.write_text("earlier\n")
    with pytest.raises(OSError, match="too large") as caught, full_disk(20_000):
        publish_batches((Batch(os.urandom(10_000).hex().encode() + b"\n", rows(1)) for _ in range(10)), UPath(path))  # type: ignore[arg-type]
    assert caught.value.errno == errno.EFBIG
    assert str(path) in str(caught.value)
    assert path.read_text() == "earlier\n"
    assert list(tmp_path.iterdir()) == [path]


def test_no_room_for_the_spool_is_an_error_too(sandbox_of: Any, clock: FakeClock, tmp_path: Path) -> None:
    sandbox = sandbox_of(*crowd(900))
    with connect(sandbox, clock) as client, pytest.raises(OSError, match=r"too large.*TMPDIR"), full_disk(200_000):
        export(client, DAY_WINDOW, tmp_path / "x.ndjson")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["a folder", "below a file", "unwritable", "below a dangling link"])
def test_a_path_that_cannot_be_written_is_refused_before_any_search(
    sandbox_of: Any, clock: FakeClock, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "x.ndjson"
    if kind == "a folder":
        path.mkdir()
    elif kind == "below a file":
        path.write_text("")
        path = path / "y.ndjson"
    elif kind == "unwritable":
        path = Path("/proc/x.ndjson")
    else:
        (tmp_path / "link").symlink_to("/proc/nowhere")
        path = tmp_path / "link" / "y.ndjson"
    sandbox = sandbox_of(*crowd(3))
    with (
        connect(sandbox, clock) as client,
        pytest.raises(LivePersonConfigurationError, match="cannot be written") as caught,
    ):
        export(client, DAY_WINDOW, path)
    assert str(path) in str(caught.value)
    assert not sandbox.requests


@pytest.mark.parametrize("url", ["file://{}", "local://{}", "{}"])
def test_local_urls_are_files(tmp_path: Path, url: str) -> None:
    publish_batches(batches(), UPath(url.format(tmp_path / "x.ndjson")))
    assert (tmp_path / "x.ndjson").stat().st_size == 8_000


@pytest.mark.parametrize("kind", ["a fifo", "a socket", "a device", "a link to a device"])
def test_what_is_no_file_is_refused_and_stays(sandbox_of: Any, clock: FakeClock, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.ndjson"
    listening = socket.socket(socket.AF_UNIX)
    if kind == "a fifo":
        os.mkfifo(path)
    elif kind == "a socket":
        listening.bind(str(path))
    elif kind == "a device":
        path = Path(os.devnull)
    else:
        path.symlink_to(os.devnull)
    sandbox = sandbox_of(*crowd(3))
    with (
        closing(listening),
        connect(sandbox, clock) as client,
        pytest.raises(LivePersonConfigurationError, match=rf"cannot be written: there is {kind.split(' to ')[-1]}"),
    ):
        export(client, DAY_WINDOW, path)
    assert not sandbox.requests
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)
    assert not path.is_file()


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_the_mode_of_the_file_that_is_replaced_is_kept(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "x.ndjson"
    path.write_text("earlier")
    path.chmod(mode)
    publish_batches(batches(), UPath(path))
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert path.stat().st_size == 8_000


def test_a_name_that_is_too_long_is_found_out_before_any_search(
    sandbox_of: Any, clock: FakeClock, tmp_path: Path
) -> None:
    sandbox = sandbox_of(*crowd(3))
    with connect(sandbox, clock) as client:
        for path in (tmp_path / ("x" * 256), tmp_path / ("y" * 300) / "x.ndjson"):
            with pytest.raises(LivePersonConfigurationError, match="cannot be written: File name too long"):
                export(client, DAY_WINDOW, path)
    assert not sandbox.requests
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_goes_meanwhile_is_said_so(tmp_path: Path) -> None:
    folder = tmp_path / "folder"

    def watched() -> Generator[Batch, None, None]:
        yield from batches(1)
        shutil.rmtree(folder)

    with pytest.raises(OSError, match=r"writing to .*folder/x.ndjson. Nothing was published. Its folder has gone"):
        publish_batches(watched(), UPath(folder / "x.ndjson"))
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def without_nameless_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a file system that does not have them."""
    monkeypatch.delattr(os, "O_TMPFILE")


@pytest.mark.usefixtures("without_nameless_files")
def test_without_nameless_files_it_is_the_same_but_for_a_hidden_name(tmp_path: Path) -> None:
    path = tmp_path / "x.ndjson"

    def watched(error: type[BaseException] | None = None) -> Generator[Batch, None, None]:
        assert [each.name.startswith(".liveperson-") for each in tmp_path.iterdir()] == [True]
        yield from batches(error=error)

    with pytest.raises(RuntimeError):
        publish_batches(watched(RuntimeError), UPath(path))
    assert list(tmp_path.iterdir()) == []
    publish_batches(watched(), UPath(path))
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.usefixtures("without_nameless_files")
@pytest.mark.parametrize("fails_at", [1, 2])
def test_where_files_cannot_be_renamed_it_is_found_out_before_any_search(
    sandbox_of: Any, clock: FakeClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    replace = os.replace
    renamed = 0

    def refuse(old: Any, new: Any) -> None:
        nonlocal renamed
        renamed += 1
        if renamed == fails_at:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
        replace(old, new)

    monkeypatch.setattr(os, "replace", refuse)
    sandbox = sandbox_of(*crowd(3))
    with (
        connect(sandbox, clock) as client,
        pytest.raises(LivePersonConfigurationError, match=r"cannot rename files \(Function.*bucket by its URL"),
    ):
        export(client, DAY_WINDOW, tmp_path / "x.ndjson")
    assert not sandbox.requests
    assert list(tmp_path.iterdir()) == []
