"""One LivePerson client for each connection, shared by all that wait in this process, its requests sent by threads."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from asgiref.sync import sync_to_async

from airflow_provider_lp.client.errors import LivePersonAuthenticationError
from airflow_provider_lp.conditions.base import LONGEST_PATIENCE, Condition, Seen, look

if TYPE_CHECKING:
    from airflow_provider_lp.client import LivePersonClient

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

#: Looks at a time over one connection; others wait their turn.
CONCURRENT_LOOKS = 4

_shared: dict[str, SharedClient] = {}


@dataclass(slots=True)
class _Opened:
    """A client of a connection as it was when read, and whether LivePerson has accepted it."""

    client: asyncio.Task[LivePersonClient]
    is_accepted: bool = False


class SharedClient:
    """
    A client that several triggers look through. Made and closed by :func:`shared_client`.

    :param liveperson_conn_id: the Airflow connection.
    """

    def __init__(self, liveperson_conn_id: str) -> None:
        self.users = 0
        self._liveperson_conn_id = liveperson_conn_id
        self._threads = ThreadPoolExecutor(CONCURRENT_LOOKS, thread_name_prefix="liveperson-looks")
        self._turns = asyncio.Semaphore(CONCURRENT_LOOKS)
        self._opened: _Opened | None = None
        self._unmasked: list[str] = []
        self._held_until_s = 0.0

    async def look(self, condition: Condition, first: Seen | None = None, within: timedelta = timedelta.max) -> Seen:
        """
        Look once; while LivePerson wants no requests, wait.

        :param first: the look before, where that asked to be confirmed.
        :param within: how long the look may wait for its beginning, and for requests that fail in its midst.
        :raises LivePersonError: for what waiting cannot mend.
        """
        # One for each thread: those that waited here hear of a throttling before they ask, and keep their turn.
        ends_s = time.monotonic() + within.total_seconds()
        patience = min(within, LONGEST_PATIENCE)
        async with self._turns:
            while (held_s := self._held_until_s - time.monotonic()) > 0:
                if self._held_until_s > ends_s:
                    words = f"LivePerson wants no requests of this account for another {held_s:.0f} s."
                    return Seen(False, words, hold=timedelta(seconds=held_s), has_failed=True)
                await asyncio.sleep(held_s)
            seen = await self.ask(lambda client: look(condition, client, first, patience))
            self._held_until_s = max(self._held_until_s, time.monotonic() + seen.hold.total_seconds())
            return seen

    async def ask(self, question: Callable[[LivePersonClient], Answer]) -> Answer:
        """
        Let a thread do what needs the client.

        :raises LivePersonError: by its kind.
        """
        opened = self._opened = self._opened or _Opened(asyncio.ensure_future(self._in_thread(self._open)))
        try:
            return await self._ask(question, opened)
        except LivePersonAuthenticationError:
            if not opened.is_accepted:
                # It may be mended while others still wait: who comes next begins anew.
                self.forget()
                raise
        # What was accepted once may have been replaced since: the connection is read anew.
        if self._opened is opened:
            self._opened = None
            await self._end(opened)
        return await self.ask(question)

    async def _ask(self, question: Callable[[LivePersonClient], Answer], opened: _Opened) -> Answer:
        try:
            client = await asyncio.shield(opened.client)
        except Exception:
            # Whatever it was, such as Airflow's database: who comes next opens it anew.
            self.forget()
            raise
        answer = await self._in_thread(question, client)
        opened.is_accepted = True
        return answer

    def _open(self) -> LivePersonClient:
        from airflow_provider_lp.hooks.liveperson import LivePersonHook

        # The next look is the retry. Read in a thread: the triggerer's loop must not wait for a connection.
        return LivePersonHook(self._liveperson_conn_id).get_conn(
            max_concurrency=CONCURRENT_LOOKS, retry=False, on_secret=self._unmasked.append
        )

    async def _in_thread(self, function: Callable[..., Answer], *arguments: object) -> Answer:
        # Not the loop's own way: on Airflow before 3.3, what such a thread asks of Airflow only finds back to the loop
        # from threads of this kind. So a token that a look obtains in a thread of its own is masked here.
        return await sync_to_async(self._masking, thread_sensitive=False, executor=self._threads)(function, *arguments)

    def _masking(self, function: Callable[..., Answer], *arguments: object) -> Answer:
        from airflow_provider_lp.hooks.liveperson import mask

        try:
            return function(*arguments)
        finally:
            while self._unmasked:
                mask(self._unmasked.pop())

    def forget(self) -> None:
        """Let those that come from now on have another client."""
        if _shared.get(self._liveperson_conn_id) is self:
            del _shared[self._liveperson_conn_id]

    async def close(self) -> None:
        """End what is under way and log out."""
        try:
            if self._opened is not None:
                await self._end(self._opened)
        finally:
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def _end(self, opened: _Opened) -> None:
        try:
            client = await opened.client
        except Exception as error:  # noqa: BLE001 - it could not be opened, as its users have been told
            log.debug("Nothing to close: %s", error)
        else:
            # First, so that threads whose triggers have gone are free to close it.
            client.abort()
            await self._in_thread(client.close)


@asynccontextmanager
async def shared_client(liveperson_conn_id: str) -> AsyncIterator[SharedClient]:
    """
    The client of a connection, as long as the block lasts; it is closed when the last block ends.

    :param liveperson_conn_id: the Airflow connection.
    """
    shared = _shared.setdefault(liveperson_conn_id, SharedClient(liveperson_conn_id))
    shared.users += 1
    try:
        yield shared
    finally:
        shared.users -= 1
        if not shared.users:
            shared.forget()
            await shared.close()
