"""Loading what a request names in its path, for those who may."""

from django.http import Http404

from agents.models import Profile
from posts.generation.models import Run


def get_run(run_id: int, actor: Profile) -> Run:
    """Return a run of one's own or of an agent that one owns; for others it does not exist (`Http404`)."""
    run = Run.objects.for_detail().managed_by(actor).filter(pk=run_id).first()
    if run is None:
        raise Http404("There is no such run.")
    return run
