"""What Airflow's retry policy makes of each failure."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_lp.client import errors
from airflow_provider_lp.client.errors import LivePersonConfigurationError, LivePersonError
from airflow_provider_lp.client.retry import LONGEST_TASK_PAUSE_S, TASK_PAUSES_S, task_pause_s
from airflow_provider_lp.compat import RetryPolicy
from airflow_provider_lp.retry_policy import LivePersonRetryPolicy

HAS_POLICIES = RetryPolicy is not object
on_new_airflow = pytest.mark.skipif(not HAS_POLICIES, reason="Airflow has retry policies from 3.3 on")
KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, LivePersonError)]
CURABLE = [kind for kind in KINDS if kind.retry_helps]


def decide(error: BaseException, try_number: int = 1, chance: float = 0.0, **options: Any) -> Any:
    return LivePersonRetryPolicy(**options, chance=lambda: chance).evaluate(error, try_number, 5)


def test_the_table_names_just_what_retrying_may_mend() -> None:
    assert {kind for kind in KINDS if any(issubclass(kind, known) for known in TASK_PAUSES_S)} == set(CURABLE)
    assert len(CURABLE) < len(KINDS) - 1


@on_new_airflow
@pytest.mark.parametrize("kind", KINDS)
def test_what_retrying_cannot_mend_fails_and_the_rest_waits(kind: type[LivePersonError]) -> None:
    decision = decide(kind("Something happened."))
    assert decision.action.value == ("retry" if kind in CURABLE else "fail")
    assert decision.reason == f"{kind.__name__}: Something happened."
    assert (decision.retry_delay is not None) is (kind in CURABLE)


@on_new_airflow
def test_any_other_error_goes_by_the_task() -> None:
    assert decide(OSError("No space left on device")).action.value == "default"


@on_new_airflow
def test_pauses_double_up_to_the_longest() -> None:
    error = errors.LivePersonServerError("HTTP 503")
    minutes = [decide(error, number).retry_delay / timedelta(minutes=1) for number in (1, 2, 3, 4, 5, 1000)]
    assert minutes == [5, 10, 20, 40, 60, 60]
    assert decide(error, 9, longest=timedelta(minutes=7)).retry_delay == timedelta(minutes=7)
    assert decide(error, chance=1.0).retry_delay == timedelta(minutes=6, seconds=15)


@given(
    st.sampled_from(CURABLE), st.none() | st.floats(0, 1e9), st.integers(0, 10_000), st.floats(1, 1e6), st.floats(0, 1)
)
def test_nobody_comes_back_before_liveperson_wants_it(
    kind: type[LivePersonError], retry_after_s: float | None, try_number: int, longest_s: float, chance: float
) -> None:
    pause_s = task_pause_s(kind("x", retry_after_s=retry_after_s), try_number, longest_s, chance)
    assert pause_s >= min(retry_after_s or 0, LONGEST_TASK_PAUSE_S)
    assert 0 < pause_s <= 1.25 * max(longest_s, min(retry_after_s or 0, LONGEST_TASK_PAUSE_S))


@on_new_airflow
def test_it_survives_being_stored_and_says_what_is_wrong_with_it() -> None:
    policy = LivePersonRetryPolicy(timedelta(minutes=20))
    assert LivePersonRetryPolicy.deserialize(policy.serialize()).longest == policy.longest
    with pytest.raises(LivePersonConfigurationError, match="longest=0"):
        LivePersonRetryPolicy(0)  # type: ignore[arg-type]


@pytest.mark.skipif(HAS_POLICIES, reason="this Airflow has retry policies")
def test_an_older_airflow_says_so() -> None:
    with pytest.raises(LivePersonConfigurationError, match=r"needs Airflow 3\.3 or newer\. Leave retry_policy out"):
        LivePersonRetryPolicy()
