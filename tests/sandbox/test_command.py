from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests
from requests_oauthlib import OAuth1

COMMAND = [sys.executable, "-m", "airflow_provider_lp.sandbox"]


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and what it says until it serves."""
    process = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        said = ""
        while "Ctrl-C" not in said:
            line = process.stdout.readline()
            assert line, process.communicate()
            said += line
        yield process, said
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_stop(number: signal.Signals) -> None:
    port = str(free_port())
    options = ["--days", "1", "--per-day", "20", "--account-id", "Acme1", "--now", "2026-03-20T00:00:00Z"]
    with running("--port", port, *options) as (process, said):
        told = requests.get(f"http://127.0.0.1:{port}/sandbox", timeout=5).json()
        (export,) = [line for line in said.splitlines() if "export AIRFLOW_CONN_LIVEPERSON_DEFAULT='" in line]
        connection = json.loads(export.split("=", 1)[1].strip("'"))
        process.send_signal(number)
        rest, errors = process.communicate(timeout=10)
    assert process.returncode == 0
    assert "stopped" in rest
    assert errors == ""
    assert connection == told["connection"]
    assert (told["account_id"], told["conversations"]) == ("Acme1", 21)
    assert "curl" in said


def test_a_taken_port_is_said_in_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run([*COMMAND, "--port", port], capture_output=True, text=True, timeout=10, check=False)
    assert done.returncode == 1
    assert done.stderr == f"Cannot listen on 127.0.0.1:{port}: the port is already in use.\n"


@pytest.mark.parametrize(("year", "status"), [("2025", 200), ("2026", 401)])
def test_the_year_says_whether_oauth_1_is_accepted(year: str, status: int) -> None:
    port = str(free_port())
    with running("--port", port, "--days", "1", "--per-day", "20", "--year", year):
        told = requests.get(f"http://127.0.0.1:{port}/sandbox", timeout=5).json()
        known = told["credentials"]
        key = OAuth1(*(known[name] for name in ("app_key", "app_secret", "access_token", "access_token_secret")))
        url = f"http://127.0.0.1:{port}/operations/api/account/12345678/msgconversation?v=1&timeframe=60"
        assert requests.get(url, auth=key, timeout=5).status_code == status


@pytest.mark.parametrize("number", ["0", "-1", "few"])
def test_it_serves_at_least_one_request_at_a_time(number: str) -> None:
    done = subprocess.run([*COMMAND, "--at-a-time", number], capture_output=True, text=True, timeout=10, check=False)
    assert done.returncode == 2
    assert "--at-a-time" in done.stderr


def test_a_moment_without_offset_is_refused() -> None:
    done = subprocess.run([*COMMAND, "--now", "2026-03-20"], capture_output=True, text=True, timeout=10, check=False)
    assert done.returncode == 2
    assert "offset" in done.stderr


def test_it_needs_nothing_of_the_rest_of_the_package_and_no_airflow() -> None:
    code = (
        "import sys, airflow_provider_lp.sandbox.__main__ as _;"
        "print([name for name in sys.modules if name.partition('.')[0] == 'airflow'"
        " or name.startswith('airflow_provider_lp.') and not name.startswith('airflow_provider_lp.sandbox')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=10, check=True)
    assert done.stdout.strip() == "[]"
