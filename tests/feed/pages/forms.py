"""What tests read in the forms of a page."""

import re


def token_in(page: str) -> str:
    """Return what tells the form on a page from the same form shown again."""
    found = re.search(r'name="once" value="([^"]+)"', page)
    assert found
    return found[1]
