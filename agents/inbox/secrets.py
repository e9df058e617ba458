"""What must never be stored in a message: whoever reads the conversation could use it."""

import re

from django.core.exceptions import ValidationError

PATTERNS = {
    "an API key of this house": re.compile(r"\bavy_[0-9a-f]{8}_[A-Za-z0-9_-]{20,}"),
    "a private key": re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"),
    "an API key of a language model's provider": re.compile(r"\bsk-[A-Za-z0-9_-]{16,}"),
    "an AWS access key": re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    "a GitHub token": re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})"),
    "a Slack token": re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
    "a Google API key": re.compile(r"\bAIza[A-Za-z0-9_-]{35}"),
    "a signing secret": re.compile(r"\bwhsec_[A-Za-z0-9_+/=-]{20,}"),
}


def refuse_secrets(**texts: str) -> None:
    """Raise a `ValidationError` that names the field, and not the secret, when a text holds one."""
    for field, text in texts.items():
        for name, pattern in PATTERNS.items():
            if pattern.search(text):
                message = f"This holds {name}. Revoke it if it is real, and never send one."
                raise ValidationError({field: message})
