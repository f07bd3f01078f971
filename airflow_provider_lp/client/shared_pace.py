"""
One pace for all clients of an account on a machine: tasks of one worker find LivePerson's limit together.

The pace stands in a small file in the temporary folder, each client's seat in another. Locks say who may write, and who
is alive: they end with the process, however it ends. Where that does not work, a client keeps a pace of its own.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import io
import logging
import os
import stat
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from airflow_provider_lp.client.pace import Pace

log = logging.getLogger(__name__)

#: Changes whenever what stands in the file does.
FORMAT = 1
LARGEST_FILE = 1 << 20
#: The file is locked for microseconds. Who cannot have it for so long goes on alone.
PATIENCE_S = 1.0
PAUSE_S = 0.0005
#: How often to look whether the others are still alive.
CHECK_ALIVE_EVERY_S = 1.0
#: The last client to leave removes the file; who has opened it at that moment tries again.
TRIES = 10

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Pace)


class SharedPace:
    """
    The pace that a client shares with all others of this machine and user that have the same name for the account.

    :param account: names the account, and the LivePerson it is asked for at.
    :param most: how many requests the client has in flight at most.
    """

    def __init__(self, account: str, most: int) -> None:
        self.client = f"{os.getpid()}-{uuid.uuid4().hex[:12]}"
        self._name = hashlib.sha256(f"{FORMAT}\0{account}".encode()).hexdigest()[:32]
        self._most = most
        self._in_flight = 0
        self._pace = Pace()
        self._pace.join(self.client, most)
        self._file: io.FileIO | None = None
        self._seat: io.FileIO | None = None
        self._is_alone = False
        self._looked_at_s = -CHECK_ALIVE_EVERY_S

    @contextmanager
    def opened(self) -> Iterator[Pace]:
        """The pace, to be read and changed by nobody else while the block lasts."""
        file = self._locked()
        if file is None:
            yield self._pace
            return
        try:
            self._read(file)
            yield self._pace
            self._in_flight = self._pace.in_flight[self.client]
            self._write(file)
        finally:
            self._unlock(file)

    def leave(self) -> None:
        """Give the seat back; the last one removes the file. What follows is nobody's business any more."""
        if self._file is not None and (file := self._locked()):
            self._read(file, look=True)
            self._pace.leave(self.client)
            self._write(file)
            if not self._pace.most:
                self._remove()
            self._unlock(file)
        self._part()

    # The file.

    def _locked(self) -> io.FileIO | None:
        """The file, opened and locked; ``None`` if this client is alone."""
        if self._is_alone:
            return None
        try:
            if self._file is not None:
                _lock(self._file)
                if _is_there(self._file) and self._seat is not None and _is_there(self._seat):
                    return self._file
                # Somebody has cleaned up.
                self._close()
            self._file = self._join()
        except OSError as error:
            self._go_on_alone(error)
        return self._file

    def _join(self) -> io.FileIO:
        for _ in range(TRIES):
            try:
                file = _opened(_folder() / f"{self._name}.pace")
            except FileNotFoundError:
                continue
            _lock(file)
            if _is_there(file):
                self._seat = _opened(self._seat_of(self.client))
                fcntl.flock(self._seat, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return file
            file.close()
        raise OSError(errno.EAGAIN, "others remove the file again and again")

    def _read(self, file: io.FileIO, *, look: bool = False) -> None:
        try:
            self._pace = _decoder.decode(os.pread(file.fileno(), LARGEST_FILE, 0))
        except (msgspec.MsgspecError, OSError):
            # It is new; or somebody was killed while writing it, or has cleaned up.
            self._forget_others()
        if look or time.monotonic() > self._looked_at_s + CHECK_ALIVE_EVERY_S:
            self._looked_at_s = time.monotonic()
            self._remove_the_dead()
        self._pace.join(self.client, self._most, self._in_flight)

    def _write(self, file: io.FileIO) -> None:
        try:
            content = _encoder.encode(self._pace)
            os.pwrite(file.fileno(), content, 0)
            os.ftruncate(file.fileno(), len(content))
        except OSError as error:
            if self._pace.most.keys() <= {self.client}:
                self._remove()
            self._go_on_alone(error)

    def _unlock(self, file: io.FileIO) -> None:
        if not file.closed:
            fcntl.flock(file, fcntl.LOCK_UN)

    def _remove(self) -> None:
        folder = _folder_path()
        with suppress(OSError):
            (folder / f"{self._name}.pace").unlink()
            self._seat_of(self.client).unlink()
            folder.rmdir()

    # Who is there.

    def _seat_of(self, client: str) -> Path:
        return _folder_path() / f"{self._name}.{client}"

    def _remove_the_dead(self) -> None:
        others = [client for client in self._pace.most if client != self.client]
        dead = [client for client in others if not self._is_alive(client)]
        if len(dead) == len(others) and self.client not in self._pace.most:
            # What the last ones knew is old.
            self._pace = Pace()
        for client in dead:
            self._pace.leave(client)

    def _is_alive(self, client: str) -> bool:
        path = self._seat_of(client)
        try:
            with io.FileIO(path, "r+") as seat:
                fcntl.flock(seat, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
        except FileNotFoundError:
            return False
        except OSError:
            # It is locked; or nobody can tell, for instance with too many files open.
            return True
        return False

    def _go_on_alone(self, error: OSError) -> None:
        log.info("This task does not share what it learns of LivePerson's limit with others: %s.", error)
        self._forget_others()
        self._part()

    def _forget_others(self) -> None:
        for client in [client for client in self._pace.most if client != self.client]:
            self._pace.leave(client)

    def _part(self) -> None:
        self._is_alone = True
        self._pace.join(self.client, self._most, self._in_flight)
        with suppress(OSError):
            self._seat_of(self.client).unlink()
        self._close()

    def _close(self) -> None:
        for file in (self._seat, self._file):
            if file is not None:
                file.close()
        self._seat = self._file = None


def _folder_path() -> Path:
    return Path(tempfile.gettempdir()) / f"airflow-provider-lp-{os.getuid()}"


def _folder() -> Path:
    """
    A folder that nobody else may read or write.

    :raises OSError: if there is none.
    """
    folder = _folder_path()
    folder.mkdir(mode=stat.S_IRWXU, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) != stat.S_IRWXU:
        raise PermissionError(errno.EPERM, "it does not belong to this user alone", str(folder))
    return folder


def _opened(path: Path) -> io.FileIO:
    return io.FileIO(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600), "r+")


def _is_there(file: io.FileIO) -> bool:
    """Whether an open file has not been removed."""
    return os.fstat(file.fileno()).st_nlink > 0


def _lock(file: io.FileIO) -> None:
    """
    Lock a file for this process.

    :raises OSError: if that is not possible, or another one has it for too long.
    """
    ends_s = time.monotonic() + PATIENCE_S
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > ends_s:
                raise
            time.sleep(PAUSE_S)
        else:
            return
