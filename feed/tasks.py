from celery import shared_task

from feed import exports
from feed.leaving import running

# Short enough that a worker that is told to stop has finished before it is killed.
ERASE_SECONDS = 20


@shared_task(ignore_result=True)
def erase_those_who_leave() -> int:
    """Go on with what is erased. Two at once share the work; killed, the next one goes on."""
    return running.go_on(seconds=ERASE_SECONDS)


@shared_task(ignore_result=True)
def build_exports() -> int:
    """Build the exports that were asked for, and delete those whose time is over."""
    exports.expire()
    return exports.build_due()
