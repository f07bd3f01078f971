"""A sandbox behind the connection, for what waits in the triggerer."""

from __future__ import annotations

from tests.sensors.conftest import serve

__all__ = ["serve"]
