"""One LivePerson client for each connection, shared by all that wait in this process, its requests sent by threads."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from asgiref.sync import sync_to_async

from airflow_provider_lp.client.errors import LivePersonAuthenticationError, LivePersonPermissionError
from airflow_provider_lp.triggers.conditions.condition import Condition, Seen, look

if TYPE_CHECKING:
    from airflow_provider_lp.client import LivePersonClient

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

#: Looks at a time over one connection; others wait their turn.
CONCURRENT_LOOKS = 4

_shared: dict[str, SharedClient] = {}


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
        self._opening: asyncio.Task[LivePersonClient] | None = None
        self._held_until_s = 0.0

    async def look(self, condition: Condition) -> Seen:
        """
        Look, and once more where the condition asks for it; sends nothing while LivePerson wants no requests.

        :raises LivePersonError: for what waiting cannot mend.
        """
        seen = await self._look_once(condition)
        if seen.confirm_after is not None:
            await asyncio.sleep(seen.confirm_after.total_seconds())
            seen = await self._look_once(condition, seen)
        return seen

    async def _look_once(self, condition: Condition, first: Seen | None = None) -> Seen:
        # One at a time for each thread: those that waited here learn of a throttling before they ask.
        async with self._turns:
            held_s = self._held_until_s - time.monotonic()
            if held_s > 0:
                words = f"LivePerson throttles this account: nothing is asked for in the next {held_s:.0f} s."
                return Seen(False, words, hold=timedelta(seconds=held_s), has_failed=True)
            seen = await self.ask(lambda client: look(condition, client, first))
            self._held_until_s = max(self._held_until_s, time.monotonic() + seen.hold.total_seconds())
            return seen

    async def ask(self, question: Callable[[LivePersonClient], Answer]) -> Answer:
        """
        Let a thread do what needs the client.

        :raises LivePersonError: by its kind.
        """
        if self._opening is None:
            self._opening = asyncio.ensure_future(self._in_thread(self._open))
        try:
            client = await asyncio.shield(self._opening)
        except Exception:
            self.forget()
            raise
        try:
            return await self._in_thread(question, client)
        except (LivePersonAuthenticationError, LivePersonPermissionError):
            # The connection may be mended while others still wait: who comes next reads it anew.
            self.forget()
            raise

    def _open(self) -> LivePersonClient:
        from airflow_provider_lp.hooks.liveperson import LivePersonHook

        # The next look is the retry. Read in a thread: the triggerer's loop must not wait for a connection.
        return LivePersonHook(self._liveperson_conn_id).get_conn(max_concurrency=CONCURRENT_LOOKS, retry=False)

    async def _in_thread(self, function: Callable[..., Answer], *arguments: object) -> Answer:
        # Not the loop's own way: on Airflow before 3.3, what such a thread asks of Airflow only finds back to the loop
        # from threads of this kind.
        return await sync_to_async(function, thread_sensitive=False, executor=self._threads)(*arguments)

    def forget(self) -> None:
        """Let those that come from now on have another client."""
        if _shared.get(self._liveperson_conn_id) is self:
            del _shared[self._liveperson_conn_id]

    async def close(self) -> None:
        """End what is under way and log out."""
        try:
            if self._opening is not None:
                client = await self._opening
                # First, so that threads whose triggers have gone are free to close it.
                client.abort()
                await self._in_thread(client.close)
        except Exception as error:  # noqa: BLE001 - it could not be opened, as its users have been told
            log.debug("Nothing to close: %s", error)
        finally:
            self._threads.shutdown(wait=False, cancel_futures=True)


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
