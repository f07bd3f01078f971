"""What waits in Airflow's triggerer: deferred sensors (open ``condition``), and asset watchers (open ``watch``)."""
