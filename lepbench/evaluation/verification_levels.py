"""How far a run was verified."""

from __future__ import annotations

SELF_REPORTED, VERIFIED, REDRAWN = "self-reported", "verified", "redrawn"
LEVELS = (SELF_REPORTED, VERIFIED, REDRAWN)
"""The least first."""
