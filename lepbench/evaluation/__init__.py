"""Items to samples to rows to record."""
