"""The package as companies install it: beside each Airflow, with what there was when that was released."""
