"""Sensors that wait for something at LivePerson: open ``conversations.py``; ``base.py`` knows Airflow's modes."""
