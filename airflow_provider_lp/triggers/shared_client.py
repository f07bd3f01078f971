"""One LivePerson client a connection, shared by all that wait in this triggerer; threads send its requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from asgiref.sync import sync_to_async

from airflow_provider_lp.client.errors import LivePersonAuthenticationError
from airflow_provider_lp.conditions.base import Condition, PollResult
from airflow_provider_lp.conditions.poller import LONGEST_PATIENCE, Poller
from airflow_provider_lp.hooks.liveperson import LivePersonHook, mask

if TYPE_CHECKING:
    from airflow_provider_lp.client import LivePersonClient

Answer = TypeVar("Answer")

#: Polls at a time over one connection; others wait their turn.
CONCURRENT_POLLS = 4

_shared: dict[str, SharedClient] = {}


class SharedClient:
    """
    A client that several triggers poll through. Made and closed by :func:`shared_client`.

    :param liveperson_conn_id: the Airflow connection.
    """

    def __init__(self, liveperson_conn_id: str) -> None:
        self.users = 0
        self._liveperson_conn_id = liveperson_conn_id
        self._threads = ThreadPoolExecutor(CONCURRENT_POLLS, thread_name_prefix="liveperson-polls")
        self._turns = asyncio.Semaphore(CONCURRENT_POLLS)
        self._poller = Poller(self._connect)
        self._unmasked: list[str] = []
        self._held_until_s = 0.0

    async def poll(
        self, condition: Condition, first: PollResult | None = None, within: timedelta = timedelta.max
    ) -> PollResult:
        """
        Poll once; while LivePerson wants no requests, wait.

        :param first: the poll to confirm; default none.
        :param within: how long the poll may wait for its beginning, and for retries in its middle; default for ever.
        :raises LivePersonError: for what waiting cannot mend.
        """
        loop = asyncio.get_running_loop()
        ends_s = loop.time() + within.total_seconds()
        # A turn for each thread, so that those who wait for one hear of a throttling before they ask. They keep it.
        async with self._turns:
            while (held_s := self._held_until_s - loop.time()) > 0:
                if self._held_until_s > ends_s:
                    message = f"LivePerson wants no requests of this account for another {held_s:.0f} s."
                    return PollResult(False, message, hold=timedelta(seconds=held_s), has_failed=True)
                await asyncio.sleep(held_s)
            try:
                result = await self._in_thread(self._poller.poll, condition, min(within, LONGEST_PATIENCE), first)
            except LivePersonAuthenticationError:
                # The connection may be mended while others still wait with these credentials.
                self.forget()
                raise
            self._held_until_s = max(self._held_until_s, loop.time() + result.hold.total_seconds())
            return result

    def _connect(self) -> LivePersonClient:
        # The next poll is the retry.
        return LivePersonHook(self._liveperson_conn_id).get_conn(
            max_concurrency=CONCURRENT_POLLS, retry=False, on_secret=self._unmasked.append
        )

    async def _in_thread(self, function: Callable[..., Answer], *arguments: object) -> Answer:
        # The triggerer's loop must not wait, neither for LivePerson nor for a connection. By asgiref, since on Airflow
        # before 3.3 what a thread asks of Airflow finds back to the loop only from threads of this kind. A download
        # has threads of another kind: a token that one of them obtains is masked here.
        return await sync_to_async(self._masking, thread_sensitive=False, executor=self._threads)(function, *arguments)

    def _masking(self, function: Callable[..., Answer], *arguments: object) -> Answer:
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
        # First, so that threads whose triggers have gone are free to close the client.
        self._poller.abort()
        try:
            await self._in_thread(self._poller.close)
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
