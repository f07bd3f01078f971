from __future__ import annotations

import json
from datetime import timedelta

import pytest

from airflow_provider_lp.sandbox import Account, Conversation

from .caller import NOW, at, ms

DAY = timedelta(days=1)


def starts(account: Account) -> dict[str, int]:
    return {each.conversation_id: each.start_ms for each in account.conversations()}


def test_the_moment_of_looking_changes_what_is_over_but_not_what_started() -> None:
    earlier, later = Account(now=NOW, days=3, per_day=30), Account(now=NOW + DAY, days=4, per_day=30)
    earlier_starts = starts(earlier)
    assert earlier_starts == {key: start for key, start in starts(later).items() if start <= ms(NOW)}
    assert len(earlier_starts) > 90
    opened = {each.conversation_id for each in earlier.conversations() if each.status == "OPEN"}
    closed_later = {each.conversation_id for each in later.conversations() if each.status == "CLOSE"}
    assert opened & closed_later


def test_another_seed_gives_other_conversations() -> None:
    assert starts(Account(now=NOW, days=1, seed=1)).keys().isdisjoint(starts(Account(now=NOW, days=1, seed=2)))


def test_per_day_and_days_size_the_account() -> None:
    started = starts(Account(now=NOW, days=2, per_day=37)).values()
    assert sum(at(18) <= start < at(19) for start in started) == 37
    assert min(started) == at(18)


def test_every_day_holds_the_awkward_moments(generated: Account) -> None:
    day = [each for each in generated.conversations() if at(17) <= each.start_ms < at(18)]
    started = [each.start_ms for each in day]
    assert at(17) in started
    assert at(18) - 1 in started
    assert sum(start % 600_000 == 0 for start in started) >= 4
    assert max(started.count(start) for start in started) >= 4
    assert any(each.end_ms and each.end_ms % 86_400_000 == 0 for each in day)
    assert any(each.end_ms is None for each in day)
    assert any(each.end_ms and each.end_ms - each.start_ms > 86_400_000 for each in day)
    assert any(each.end_ms and each.end_ms > (each.conversation_end_ms or 0) for each in day)


def test_some_records_are_awkward_to_read(generated: Account) -> None:
    conversations = generated.conversations()
    assert any(each.is_partial for each in conversations)
    texts = "".join(json.dumps(generated.record(each), ensure_ascii=False) for each in conversations)
    for character in "😀", "م", "注", "\u0301", "\u2028", '\\"', "\\n":
        assert character in texts
    assert any(len(json.dumps(generated.record(each))) > 20_000 for each in conversations)
    assert any(skill_id > 2**53 for each in conversations for skill_id in each.skill_ids)


def test_a_conversation_is_open_until_it_ends_and_its_survey_moves_the_end() -> None:
    asked = Conversation("a", at(19, 10), end_ms=at(19, 12), conversation_end_ms=at(19, 11), csat=4, message_count=3)
    before, between, after = (asked.as_of(at(19, hour, 30)) for hour in (10, 11, 12))
    assert asked.as_of(at(19, 10) - 1) is None
    assert before is not None
    assert (before.status, before.end_ms, before.message_count) == ("OPEN", None, 2)
    assert between is not None
    assert (between.status, between.end_ms, between.full_dialog_end_ms) == ("CLOSE", at(19, 11), None)
    assert (between.csat, between.latest_update_ms) == (None, at(19, 11))
    assert after == asked


def test_messages_only_ever_grow(generated: Account) -> None:
    later = Account(now=NOW + DAY, days=5, per_day=60)
    for conversation in generated.conversations():
        grown = later.find(conversation.conversation_id)
        assert grown is not None
        seen = generated.record(conversation)["messageRecords"]
        assert later.record(grown)["messageRecords"][: len(seen)] == seen


def test_defaults_depend_on_the_id_alone() -> None:
    one, same, other = Conversation("a", 5), Conversation("a", 5), Conversation("b", 5)
    assert one == same
    assert one.consumer_id != other.consumer_id
    assert one.skill_ids
    assert one.agent_ids
    assert Conversation("a", 5, queue_state="IN_QUEUE").agent_ids == ()


def test_truth_is_half_open_and_ordered_by_moment_then_id() -> None:
    account = Account.of(
        [
            Conversation("c", at(19), end_ms=at(20)),
            Conversation("b", at(19), end_ms=at(19, 5), full_dialog_end_ms=at(19, 6)),
            Conversation("a", at(18, 23), end_ms=at(19, 4)),
            Conversation("open", at(18, 22)),
            Conversation("next", at(20), end_ms=at(20, 1)),
        ],
        now=NOW,
    )
    assert account.truth("start", at(19), at(20)) == ["b", "c"]
    assert account.truth("end", at(19), at(20)) == ["a", "b"]
    assert account.truth("full_dialog_end", at(19, 6), at(20) + 1) == ["b", "c"]
    assert account.truth("latest_update", at(19, 6), at(20)) == ["b", "c", "next"]
    with pytest.raises(ValueError, match="time_field"):
        account.truth("middle", at(19), at(20))


def test_what_cannot_be_an_account_is_refused() -> None:
    with pytest.raises(ValueError, match="same id"):
        Account.of([Conversation("a", 1), Conversation("a", 2)])
    with pytest.raises(ValueError, match="aware"):
        Account(now=NOW.replace(tzinfo=None))


def test_without_a_moment_the_account_follows_the_clock() -> None:
    account = Account.of([Conversation("past", 1_000, end_ms=2_000), Conversation("far", 32_503_680_000_000)])
    assert [each.conversation_id for each in account.conversations()] == ["past"]
