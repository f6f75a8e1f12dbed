"""The scheduler seam against a real Airflow 3.3. Run by `make test-airflow`."""
