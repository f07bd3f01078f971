"""What a watcher's assets remember, on the Airflows whose accessors are known and on one whose are not."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from airflow_provider_lp.triggers.asset_state import AssetState
from tests.fake_clock import FakeClock
from tests.sensors.virtual_time import LiveAccount

from .test_conversations import ending, ids_fired

LOOP_THREAD = threading.main_thread()


class Accessor:
    """Shaped like the ``AssetStateStoreAccessor`` of the task SDK 1.3.0 and 1.3.1: it blocks."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def get(self, key: str, default: Any = None) -> Any:
        assert threading.current_thread() is not LOOP_THREAD, "this would block the triggerer's loop"
        return self.values.get(key, default)

    def set(self, key: str, value: Any) -> None:
        assert threading.current_thread() is not LOOP_THREAD, "this would block the triggerer's loop"
        if value is None:
            raise ValueError("Cannot set value as None")
        self.values[key] = value


class Accessors:
    """Shaped like the ``AssetStateStoreAccessors`` of the task SDK 1.3.0 and 1.3.1."""

    def __init__(self, *names: str, uris: tuple[str, ...] = ()) -> None:
        self._by_name = {name: Accessor() for name in names}
        self._by_uri = {uri: Accessor() for uri in uris}


class UnknownAccessors:
    """As a later Airflow might have them: its own methods are for one asset, and the others are kept elsewhere."""

    def __init__(self, number: int) -> None:
        self.stores = [Accessor() for _ in range(number)]

    def _only(self) -> Accessor:
        if len(self.stores) != 1:
            raise ValueError(f"Task has {len(self.stores)} concrete inlets and outlets")
        return self.stores[0]

    def get(self, key: str, default: Any = None) -> Any:
        return self._only().get(key, default)

    def set(self, key: str, value: Any) -> None:
        self._only().set(key, value)


async def saved_and_read(accessors: Any, value: Any) -> Any:
    before = await AssetState(accessors).get("key")
    state = AssetState(accessors)
    await state.get("key")
    await state.set("key", value)
    return before, await AssetState(accessors).get("key")


def test_the_blocking_stores_of_the_first_versions_are_used_from_threads() -> None:
    accessors = Accessors("one", "two", uris=("x://three",))
    accessors._by_name["two"].values["key"] = {"polled_ms": 1}
    assert asyncio.run(saved_and_read(accessors, {"polled_ms": 2})) == ({"polled_ms": 1}, {"polled_ms": 2})
    stores = [*accessors._by_name.values(), *accessors._by_uri.values()]
    assert [store.values for store in stores] == [{"key": {"polled_ms": 2}}] * 3


@pytest.mark.parametrize(("number", "remembered"), [(1, {"polled_ms": 2}), (2, None)])
def test_accessors_of_another_shape_are_warned_of(
    number: int, remembered: Any, caplog: pytest.LogCaptureFixture
) -> None:
    accessors = UnknownAccessors(number)
    assert asyncio.run(saved_and_read(accessors, {"polled_ms": 2})) == (None, remembered)
    assert "in another way than Airflow 3.3.0 to 3.3.2" in caplog.text
    assert ("remembers nothing beyond this triggerer: Task has 2" in caplog.text) == (number == 2)


def test_a_store_that_fails_is_no_unknown_one() -> None:
    accessors = Accessors("one")
    with pytest.raises(ValueError, match="as None"):
        asyncio.run(AssetState(accessors).set("key", None))


@pytest.mark.usefixtures("shared_streams")
@pytest.mark.parametrize(
    ("accessors", "remembers"),
    [(Accessors("one", "two"), True), (UnknownAccessors(1), True), (UnknownAccessors(2), False)],
    ids=["first versions", "unknown, one asset", "unknown, two assets"],
)
def test_a_watcher_remembers_there_as_well(serve: Any, accessors: Any, remembers: bool, clock: FakeClock) -> None:
    serve(account=LiveAccount.by(clock, [ending("a", 90), ending("meanwhile", 330)]))
    assert ids_fired(clock, accessors, 200) == ["a"]
    clock.sleep(200)
    # Without a state it begins anew, and what came meanwhile is not new.
    assert ids_fired(clock, accessors, 90) == (["meanwhile"] if remembers else [])
