"""Metrics of existing folders of edge maps or images."""
