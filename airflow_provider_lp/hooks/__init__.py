"""LivePerson from an Airflow connection."""
