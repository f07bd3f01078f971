"""
From pages of conversations to published objects. Knows nothing of Airflow: a path object is passed in.

Open :mod:`~airflow_provider_lp.export.conversations` first, the nightly export; it downloads by
:mod:`~airflow_provider_lp.export.download` and publishes by :mod:`~airflow_provider_lp.export.publishing`. What makes a
search provably complete stands in :mod:`~airflow_provider_lp.export.paging`, without input or output; where an object
goes, in :mod:`~airflow_provider_lp.export.stores`. Metrics have a package of their own.

What proves exports later begins in :mod:`~airflow_provider_lp.export.proof`: what they say of themselves is in
:mod:`~airflow_provider_lp.export.manifest`, what is compared, without input or output, in
:mod:`~airflow_provider_lp.export.reconciliation`, and how LivePerson is asked for exact counts in
:mod:`~airflow_provider_lp.export.exact_count`.
"""
