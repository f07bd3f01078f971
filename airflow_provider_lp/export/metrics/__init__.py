"""From measurements to rows: metrics of the last 24 hours, or recomputed from conversations."""
