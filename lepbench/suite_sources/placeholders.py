"""Templates of prompts: texts with a placeholder in braces, which is replaced as it stands."""

from __future__ import annotations

import re

PLACEHOLDER = re.compile(r"\{[^{}\s]*\}")


def check_placeholders(label: str, template: str, known: str) -> None:
    """Refuse a template that lacks its placeholder, or has another one, which nothing would replace.

    Args:
        label: what to call the template in an error.
        known: the placeholder with its braces.

    Raises:
        ValueError: it does.
    """
    unknown = [found for found in PLACEHOLDER.findall(template) if found != known]
    if unknown:
        raise ValueError(f"{label} has the unknown placeholder {unknown[0]}; the only one is {known}")
    if known not in template:
        raise ValueError(f"{label} has no {known}; write it where the {known.strip('{}')} is to stand")
