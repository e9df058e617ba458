from celery import Task, shared_task

from posts.publishing.services import metrics, recurring, webhooks
from posts.publishing.worker import Worker

# Short enough that a worker that is told to stop has finished before it is killed.
CLAIM_SECONDS = 20


@shared_task(bind=True, ignore_result=True)
def publish_due(self: Task[..., int]) -> int:
    """Publish what is due. Poked every second; a lost poke loses nothing, a doubled one doubles nothing."""
    return Worker(task=str(self.request.id or "")).run(seconds=CLAIM_SECONDS)


@shared_task(ignore_result=True)
def fetch_figures() -> int:
    """Fetch the figures of publications that are due for it."""
    return metrics.fetch_due()


@shared_task(ignore_result=True)
def deliver_webhooks() -> int:
    """Deliver the messages to endpoints that are due."""
    return webhooks.deliver_due()


@shared_task(ignore_result=True)
def schedule_recurring() -> int:
    """Put the next turns of recurring posts into the calendar. Two at once do it once."""
    return recurring.schedule_due()
