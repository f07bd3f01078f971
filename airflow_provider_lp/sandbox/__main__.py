"""``python -m airflow_provider_lp.sandbox``: serve the sandbox until it is told to stop."""

from __future__ import annotations

import argparse
import errno
import signal
import sys
import threading
from datetime import datetime

from airflow_provider_lp.sandbox import Account, Sandbox
from airflow_provider_lp.sandbox.credentials import airflow_variable
from airflow_provider_lp.sandbox.sandbox import YEARS


def main(arguments: list[str] | None = None) -> int:
    """Serve until Ctrl-C or SIGTERM; the exit code says whether it could."""
    options = _options(arguments)
    account = Account(
        account_id=options.account_id,
        seed=options.seed,
        now=options.now,
        days=options.days,
        per_day=options.per_day,
        record_bytes=options.record_bytes,
    )
    sandbox = Sandbox(account, port=options.port, host=options.host, year=options.year, verbose=options.verbose)
    sandbox.latency_s = options.latency
    sandbox.most_at_a_time = options.at_a_time
    told_to_stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told_to_stop.set())
    try:
        sandbox.start()
    except OSError as error:
        reason = "the port is already in use" if error.errno == errno.EADDRINUSE else error.strerror
        print(f"Cannot listen on {options.host}:{options.port}: {reason}.", file=sys.stderr)
        return 1
    print(_greeting(sandbox), flush=True)
    told_to_stop.wait()
    sandbox.stop()
    print("The sandbox has stopped.", flush=True)
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m airflow_provider_lp.sandbox", description="An offline LivePerson with invented conversations."
    )
    parser.add_argument("--port", type=int, default=8765)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--account-id", default="12345678")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other conversations")
    parser.add_argument("--days", type=int, default=40, help="whole days before today that hold conversations")
    parser.add_argument("--per-day", type=int, default=250, help="conversations that start each day")
    parser.add_argument("--now", type=_aware, help="the moment it believes in, ISO 8601; default: the clock")
    parser.add_argument(
        "--year",
        type=int,
        choices=YEARS,
        default=YEARS[-1],
        help="the LivePerson of which year: 2025 still has OAuth 1.0",
    )
    parser.add_argument("--record-bytes", type=int, help="pad each record to about this size")
    parser.add_argument(
        "--latency", type=float, default=0.0, help="seconds before each answer with conversations or metrics"
    )
    parser.add_argument(
        "--at-a-time", type=_positive, help="requests for conversations or metrics it serves at once; others get 429"
    )
    parser.add_argument("--verbose", action="store_true", help="print a line for each request")
    return parser.parse_args(arguments)


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _aware(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not ISO 8601") from error
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} has no offset; add Z for UTC")
    return moment


def _greeting(sandbox: Sandbox) -> str:
    account = sandbox.account
    return f"""\
The LivePerson sandbox serves account {account.account_id} at {sandbox.url}
with {account.per_day} invented conversations a day, today and the {account.days} days before,
and the metrics of the last 24 hours that they make.

The connection for Airflow:

  {airflow_variable(sandbox.url, account.account_id)}

Its credentials and more, as JSON:

  curl {sandbox.url}/sandbox

Let the next two searches be throttled:

  curl -X POST {sandbox.url}/sandbox/faults -d '{{"kind": "throttle", "times": 2, "retry_after": "3"}}'

Ctrl-C stops it."""


if __name__ == "__main__":
    sys.exit(main())
