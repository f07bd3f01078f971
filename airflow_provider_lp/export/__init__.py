"""From pages of conversations to published objects. Knows nothing of Airflow: a path object is passed in."""
