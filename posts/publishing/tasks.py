from celery import Task, shared_task

from posts.publishing.worker import Worker

# Short enough that a worker that is told to stop has finished before it is killed.
CLAIM_SECONDS = 20


@shared_task(bind=True, ignore_result=True)
def publish_due(self: Task[..., int]) -> int:
    """Publish what is due. Poked every second; a lost poke loses nothing, a doubled one doubles nothing."""
    return Worker(task=str(self.request.id or "")).run(seconds=CLAIM_SECONDS)
