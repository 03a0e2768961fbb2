"""How far a run was verified."""

from __future__ import annotations

SELF_REPORTED, VERIFIED, REDRAWN = "self-reported", "verified", "redrawn"
LEVELS = (SELF_REPORTED, VERIFIED, REDRAWN)
"""The least first."""
MEANINGS = {
    SELF_REPORTED: "figures and their model are the submitter's word",
    VERIFIED: "figures follow from the pictures; backbone, method and sampler are the submitter's word",
    REDRAWN: "figures follow from the pictures, and some were drawn anew by backbone, method and sampler",
}
"""What a reader may believe of a line, and what remains a matter of trust."""
BOUNDS = ("caption", "realism", "class", "copies")
"""What the guard holds pictures against; see `guard`."""
