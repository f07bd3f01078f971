"""What waits in Airflow's triggerer: deferred sensors, and asset watchers."""
