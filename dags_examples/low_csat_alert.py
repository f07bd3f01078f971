"""
As soon as customers score a closed conversation 1 or 2: a run with the ids of those conversations. For Airflow 3.3 and
newer; below 3.2, this file has no DAG.

No schedule polls here, and no task waits. A watcher in the triggerer looks at LivePerson each minute, and makes an
event of the asset for what is new; the event starts a run, and carries the ids. A survey may be answered long after
the conversation was closed: the watcher looks for scores of conversations that ended within the last two days.

Each conversation comes in one event, also when the triggerer is restarted. Only if it is killed in the very second
between storing an event and remembering that, the event comes again; ``new_conversations`` leaves out what earlier
events have brought. When the DAG is first switched on, the scores of the past cause no events.

It needs the connection and the pool of ``nightly_export.py``, and a triggerer (``airflow triggerer``).

* **To change:** ``alert``, the last task, which only writes to its log; ``filters``, which say what to watch for.
* **By hand:** it fails at once, as there is no event to say which conversations it is about. To try it, make an event:
  in the UI, the asset ``liveperson_low_csat``, *Create Asset Event*, with the extra ``{"payload": {"conversation_ids":
  ["..."]}}``.
"""

from __future__ import annotations

import logging
from datetime import timedelta

import pendulum

from airflow_provider_lp.operators.conversations import LivePersonConversationLookupOperator
from airflow_provider_lp.triggers.conversations import LivePersonNewConversationsTrigger

log = logging.getLogger(__name__)

try:
    from airflow.sdk import DAG, Asset, AssetWatcher, task
    from airflow.sdk.exceptions import AirflowFailException
except ImportError:
    log.info("This Airflow is older than 3.2: no DAG is made of %s.", __file__)
else:
    LOW_CSAT = Asset(
        "liveperson_low_csat",
        watchers=[
            AssetWatcher(
                name="liveperson_low_csat",
                trigger=LivePersonNewConversationsTrigger(
                    filters={"status": ["CLOSE"], "csat": {"from": 1, "to": 2}},
                    lookback=timedelta(days=2),
                    poke_interval=timedelta(minutes=1),
                ),
            )
        ],
    )

    with DAG(
        dag_id="liveperson_low_csat_alert",
        schedule=[LOW_CSAT],
        start_date=pendulum.datetime(2020, 1, 1, tz="UTC"),
        catchup=False,
        tags=["liveperson"],
        doc_md=__doc__,
    ) as dag:

        def ids_of(events):
            return [each for event in events for each in event.extra.get("payload", {}).get("conversation_ids", [])]

        @task(inlets=[LOW_CSAT])
        def new_conversations(triggering_asset_events=None, inlet_events=None) -> list[str]:
            """The conversations of this run's events, without those of the hundred events before."""
            events = triggering_asset_events.get(LOW_CSAT, [])
            if not ids_of(events):
                raise AirflowFailException("No event says which conversations this run is about: see the DAG's docs.")
            first = min(event.timestamp for event in events)
            until = inlet_events[LOW_CSAT].before(first.isoformat()).ascending(False).limit(100)
            earlier = ids_of(event for event in until if event.timestamp < first)
            return [each for each in dict.fromkeys(ids_of(events)) if each not in earlier]

        @task
        def alert(found: dict) -> None:
            """Replace by what should happen: a ticket, a message to the team lead, a call back."""
            for record in found["records"]:
                info = record["info"]
                log.warning("%s: CSAT %s, %s", info["conversationId"], info.get("csat"), info.get("latestSkillName"))

        look_up = LivePersonConversationLookupOperator(
            task_id="look_up",
            conversation_ids=new_conversations(),
            content=["agentParticipants", "conversationSurveys", "summary"],
            pool="liveperson",
            retries=4,
            retry_delay=timedelta(minutes=1),
        )

        alert(look_up.output)
