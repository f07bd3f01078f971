"""What a DAG file with a sensor pays at each parse."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("requests", "urllib3", "requests_oauthlib", "isal", "s3fs", "aiohttp", "asgiref", "airflow.triggers")


def test_a_sensor_imports_neither_requests_nor_triggers() -> None:
    code = (
        "import sys\n"
        "import airflow_provider_lp.compat as sdk\n"
        "[getattr(sdk, name) for name in ('BaseOperator', 'BaseHook', 'Asset', 'AssetAlias', 'BaseSensorOperator',"
        " 'PokeReturnValue', 'TaskDeferred', 'conf')]\n"
        "before = set(sys.modules)\n"
        "from airflow_provider_lp.sensors.conversations import LivePersonConversationsSensor\n"
        "from airflow_provider_lp.sensors.metrics import LivePersonMetricSensor\n"
        "LivePersonConversationsSensor(task_id='x', filters={'status': ['CLOSE']})\n"
        "print('\\n'.join(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=600)
    loaded = done.stdout.split()
    assert "airflow_provider_lp.sensors.conversations" in loaded, done.stderr
    assert [name for name in loaded if name.startswith((*HEAVY, "airflow_provider_lp.triggers"))] == []
