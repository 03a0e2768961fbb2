"""Evaluation of a model on a suite: samples, scores, summary and record."""
