"""A sandbox behind the connection, for what waits in the triggerer."""

from __future__ import annotations

import pytest

from tests.sensors.conftest import _unmasked, serve

__all__ = ["_unmasked", "serve"]


@pytest.fixture
def shared_streams() -> None:
    """Only where Airflow has them."""
    pytest.importorskip("airflow.triggers.shared_stream", reason="Airflow before 3.3")
