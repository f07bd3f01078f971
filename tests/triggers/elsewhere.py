"""A sandbox in a process of its own, so that what it computes does not hold up the loop that is measured."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

import pytest

from airflow_provider_lp.sandbox import Account, Conversation, Sandbox


class SandboxElsewhere:
    """The other end of the sandbox's process."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def paths(self) -> list[str]:
        """The paths of all requests so far."""
        self._pipe.send("paths")
        paths: list[str] = self._pipe.recv()
        return paths


def _serve(conversations: Sequence[Conversation], latency_s: float, pipe: Connection) -> None:
    with Sandbox(account=Account.of(conversations)) as sandbox:
        sandbox.latency_s = latency_s
        pipe.send((sandbox.url, sandbox.account.account_id, sandbox.credentials))
        while pipe.recv() == "paths":
            pipe.send([seen.path for seen in sandbox.requests])


@contextmanager
def sandbox_elsewhere(conversations: Sequence[Conversation], latency_s: float) -> Iterator[SandboxElsewhere]:
    """Start it, with the connection ``liveperson_default`` leading to it."""
    context = multiprocessing.get_context("spawn")
    pipe, other_end = context.Pipe()
    process = context.Process(target=_serve, args=(conversations, latency_s, other_end))
    process.start()
    try:
        url, account_id, credentials = pipe.recv()
        extra: dict[str, Any] = {name: credentials[name] for name in ("client_id", "client_secret")}
        connection = {"conn_type": "liveperson", "host": url, "extra": {"account_id": account_id, **extra}}
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AIRFLOW_CONN_LIVEPERSON_DEFAULT", json.dumps(connection))
            yield SandboxElsewhere(pipe)
    finally:
        pipe.send("stop")
        process.join(10)
