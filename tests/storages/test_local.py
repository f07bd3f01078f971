"""The contract of storages, kept by the local disk."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from .contract import StorageContract


class LocalStore:
    conn_id = "contract_local"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.bucket = f"file://{folder}"

    def keys(self) -> list[str]:
        return sorted(str(each.relative_to(self._folder)) for each in self._folder.rglob("*") if each.is_file())

    def content(self, key: str) -> bytes:
        return (self._folder / key).read_bytes()

    def said(self, key: str) -> tuple[str | None, str | None]:
        return None, None

    def leftovers(self) -> list[Any]:
        """Nameless files that are still open."""
        links = [os.readlink(f"/proc/self/fd/{each}") for each in os.listdir("/proc/self/fd") if _is_open(each)]
        return [link for link in links if link.startswith(str(self._folder))]


def _is_open(descriptor: str) -> bool:
    return os.path.lexists(f"/proc/self/fd/{descriptor}")


class TestLocal(StorageContract):
    @pytest.fixture
    def store(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalStore:
        monkeypatch.setenv("AIRFLOW_CONN_CONTRACT_LOCAL", json.dumps({"conn_type": "fs"}))
        return LocalStore(tmp_path)
