"""Folders of other people's files into figures: nothing is drawn, no model of ours is involved."""
