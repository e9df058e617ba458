"""What was typed when the session had ended: it waits in the new one until after the log-in."""

from feed.pages.viewers import PageRequest, viewer_of

KEY = "drafts"
MOST_DRAFTS = 5


def keep(request: PageRequest, name: str, **lengths: int) -> None:
    """Keep fields of a form, each up to a length, under the name of the form."""
    drafts = request.session.get(KEY, {})
    drafts[name] = {field: request.POST.get(field, "")[:most].replace("\x00", "") for field, most in lengths.items()}
    request.session[KEY] = dict(list(drafts.items())[-MOST_DRAFTS:])


def take(request: PageRequest, name: str) -> dict[str, str]:
    """Return what was kept of a form, once."""
    drafts = request.session.get(KEY)
    if not drafts or name not in drafts or viewer_of(request) is None:
        return {}
    kept: dict[str, str] = drafts.pop(name)
    request.session[KEY] = drafts
    return kept
