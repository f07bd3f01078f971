"""
What it takes to make tables of a night: in a process of its own, so that its memory can be told, which prints seconds
of CPU and the peak in mebibytes.
"""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

CONVERSATIONS = 4_000
MESSAGES = 16
WORDS = [
    "order",
    "arrived",
    "please",
    "help",
    "Köln",
    "number",
    "Monday",
    "refund",
    "übrigens",
    "thanks",
    "account",
    "delivery",
]
START_MS = 1_767_225_600_000


def times(moment_ms: int, name: str = "time") -> dict[str, Any]:
    return {f"{name}L": moment_ms, name: "2026-01-01 00:00:00.000+0000"}


def conversation(number: int) -> dict[str, Any]:
    """A conversation of about 24 KB, with messages, their statuses and scores, and a few of all else."""
    words = random.Random(number)
    name, start = f"00000000-0000-4000-8000-{number:012}", START_MS + number * 20_000
    agent = {"agentId": "4000000001", "agentFullName": "Agent One", "agentDeleted": False, "userType": "1"}
    return {
        "info": {
            "conversationId": name, "brandId": "99990000", "status": "CLOSE", **times(start, "startTime"),
            **times(start + 600_000, "endTime"), "duration": 600_000, "mcs": 50, "alertedMCS": 0, "source": "SHARK",
            "latestSkillId": 1000000001, "latestSkillName": "Skill A", "latestAgentId": "4000000001",
        },
        "campaign": {"campaignId": "2", "campaignName": "C", "lobId": 6, "lobName": "L"},
        "messageRecords": [
            {"type": "TEXT_PLAIN", "messageData": {"msg": {"text": " ".join(words.choices(WORDS, k=62))}},
             "messageId": f"ms::dialog:{name}::msg:{place}", "seq": place, "dialogId": name, "audience": "ALL",
             "participantId": "ab" * 32, "source": "APP", **times(start + place * 1000), "device": "undefined",
             "sentBy": "Consumer" if place % 2 else "Agent"}
            for place in range(MESSAGES)
        ],
        "messageStatuses": [
            {"messageId": f"ms::dialog:{name}::msg:{place // 2}", "seq": place // 2, **times(start + place * 1000 + 5),
             "participantId": "4000000001", "participantType": "Agent", "dialogId": name,
             "messageDeliveryStatus": "READ" if place % 2 else "ACCEPT"}
            for place in range(2 * MESSAGES)
        ],
        "messageScores": [
            {"messageId": f"ms::dialog:{name}::msg:{place}", "messageRawScore": 0, "mcs": 50, **times(start)}
            for place in range(MESSAGES // 2)
        ],
        "agentParticipants": [{**agent, **times(start), "dialogId": name}] * 2,
        "consumerParticipants": [{"participantId": "ab" * 32, "firstName": "Visitor", **times(start)}],
        "transfers": [{**times(start), "assignedAgentId": "null", "targetSkillId": 2, "reason": "Skill"}],
        "interactions": [{"assignedAgentId": "4000000001", **times(start, "interactionTime")}],
        "conversationSurveys": [{"surveyType": "CSAT", "surveyData": [{"question": "Q", "answer": "Yes"}]}],
        "sdes": {"events": [{"customerInfo": {"customerInfo": {"customerId": "1"}, "serverTimeStamp": str(start)},
                             "sdeType": "CUSTOMER_INFO", "serverTimeStamp": str(start)}]},
    }  # fmt: skip


def write_night(path: Path) -> None:
    """Write a night's conversations."""
    with path.open("w") as file:
        for number in range(CONVERSATIONS):
            file.write(json.dumps(conversation(number), separators=(",", ":"), ensure_ascii=False) + "\n")


def make(night: Path, folder: Path, times_over: int) -> tuple[float, float]:
    """
    Make tables of a night in another process.

    :param times_over: how often the night is read; none for an idle import.
    :return: seconds of CPU, and the peak of memory in mebibytes.
    """
    command = [sys.executable, "-m", "tests.bench.tables", str(night), str(folder), str(times_over)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    cpu, peak = done.stdout.split()[-2:]
    return float(cpu), float(peak)


def tables(folder: Path, line: Callable[..., None]) -> None:
    """Measure what tables of a night take."""
    night = folder / "night.ndjson"
    write_night(night)
    print(f"\nTables of {CONVERSATIONS:,} conversations of {night.stat().st_size // CONVERSATIONS // 1000} KB")
    idle = make(night, folder, 0)
    once = min(make(night, folder, 1) for _ in range(3))
    tenfold = make(night, folder, 10)
    line("all tables", f"{once[0]:.2f} s CPU", "at most 1.5")
    line("memory above an idle import", f"{once[1] - idle[1]:.0f} MiB", "at most 150")
    line("memory of ten times as many above that", f"{tenfold[1] - once[1]:.0f} MiB", "at most 30")


def _main(night: str, folder: str, times_over: int) -> None:
    import airflow_provider_lp.operators.tables  # noqa: F401 - part of the idle import

    spent = 0.0
    if times_over:
        from fsspec.implementations.local import LocalFileSystem
        from upath import UPath

        from airflow_provider_lp.tables.arrow import arrow
        from airflow_provider_lp.tables.building import build_tables
        from airflow_provider_lp.tables.schema import TABLES
        from airflow_provider_lp.tables.sources import Source

        arrow()
        paths = {name: UPath(f"{folder}/{name}.parquet") for name in TABLES}
        begun = time.process_time()
        build_tables([Source(LocalFileSystem(), night, night)] * times_over, paths)
        spent = time.process_time() - begun
    # Not getrusage: a process inherits its peak from the one that started it.
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    print(spent, int(peak[1]) / 1024 if peak else "nan")


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
