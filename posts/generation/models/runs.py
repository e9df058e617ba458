from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from agents.inbox.models import Conversation, Message
from agents.knowledge.models import Content
from agents.models import Agent, PersonaVersion, Profile
from posts.generation.querysets import RunQuerySet, RunStepQuerySet
from posts.models import Post


class Run(models.Model):
    """One piece of writing by an agent, from topic to post. The row is the truth: workers only carry it.

    Every claim raises `fencing_token`; a worker that was paused past its lease still holds an old one and
    can write nothing.
    """

    class State(models.TextChoices):
        QUEUED = "queued"
        RUNNING = "running"
        REVIEW = "review", "waiting for review"
        DONE = "done"
        FAILED = "failed"
        CANCELLED = "cancelled"
        REJECTED = "rejected"

    OPEN = (State.QUEUED, State.RUNNING, State.REVIEW)
    FINAL = (State.DONE, State.FAILED, State.CANCELLED, State.REJECTED)

    agent = models.ForeignKey(Agent, models.CASCADE, related_name="runs", db_index=False)
    pipeline = models.CharField(max_length=20)
    state = models.CharField(max_length=9, choices=State, default=State.QUEUED)
    topic = models.CharField(max_length=300, blank=True, help_text="As asked for; empty: the agent finds its own.")
    layer = models.PositiveSmallIntegerField(choices=Post.Layer, default=Post.Layer.PUBLIC)
    idempotency_key = models.CharField(max_length=200, blank=True)
    requested_by = models.ForeignKey(Profile, models.SET_NULL, null=True, blank=True, related_name="+")
    persona = models.ForeignKey(
        PersonaVersion, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    # What it writes about. Set when the topic is fetched, so that no other run of the agent takes it too.
    content = models.ForeignKey(Content, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    # What it answers in. One run at a time does, and what it sent is its reply.
    conversation = models.ForeignKey(
        Conversation, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    reply = models.OneToOneField(Message, models.SET_NULL, null=True, blank=True, related_name="generated_by")
    # Raised when nothing new can be said of a topic, and the run takes another one.
    take = models.PositiveSmallIntegerField(default=1, editable=False)
    # Set in the transaction that creates the post.
    post = models.OneToOneField(Post, models.SET_NULL, null=True, blank=True, related_name="generated_by")

    worker = models.CharField(max_length=80, blank=True, editable=False)
    fencing_token = models.BigIntegerField(default=0, editable=False)
    # Nobody else touches the run before this moment: the end of a worker's lease, or of a pause.
    lease_until = models.DateTimeField(db_default=Now(), editable=False)
    attempt = models.PositiveIntegerField(default=0, editable=False)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    started_at = models.DateTimeField(null=True, blank=True, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = RunQuerySet.as_manager()

    class Meta:
        constraints = [
            # A client that asks twice with one key gets one run.
            models.UniqueConstraint(
                fields=["agent", "idempotency_key"], name="run_idempotent", condition=~Q(idempotency_key="")
            ),
            # Two runs of one agent never write about the same content, however many start together.
            models.UniqueConstraint(
                fields=["agent", "content"],
                name="run_content_once",
                condition=Q(content__isnull=False, state__in=("queued", "running", "review", "done")),
            ),
            # A turn is answered once, however many schedulers see it: the next run starts when this one is over.
            models.UniqueConstraint(
                fields=["agent", "conversation"],
                name="run_conversation_once",
                condition=Q(conversation__isnull=False, state__in=("queued", "running", "review")),
            ),
        ]
        indexes = [
            # What a worker may claim, the longest due first. Finished runs, nearly all rows, are not in it.
            models.Index("lease_until", name="run_claimable", condition=Q(state__in=("queued", "running"))),
            # One worker's own runs: the heartbeat.
            models.Index("worker", name="run_worker", condition=Q(state="running")),
            # The runs of an agent, newest first.
            models.Index("agent", F("id").desc(), name="run_agent_newest"),
            # Deleting a content looks for the runs that wrote about it.
            models.Index("content", name="run_content", condition=Q(content__isnull=False)),
            # Deleting a conversation looks for the runs that answered in it.
            models.Index("conversation", name="run_conversation", condition=Q(conversation__isnull=False)),
            # The same for a persona version.
            models.Index("persona", name="run_persona", condition=Q(persona__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.pipeline} run {self.pk}"

    @property
    def is_final(self) -> bool:
        return self.state in self.FINAL

    def current_steps(self) -> list["RunStep"]:
        """Return the steps that the run goes on with: those of its own take."""
        return [step for step in self.steps.all() if step.take == self.take]


class RunStep(models.Model):
    """One step of a run: what it was given, what came back, what it took and what it cost."""

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        REVIEW = "review", "waiting for review"
        DONE = "done"
        FAILED = "failed"
        REFUSED = "refused", "refused: another topic was taken"

    run = models.ForeignKey(Run, models.CASCADE, related_name="steps", db_index=False)
    # Those of the run's own take are what it goes on with; those of earlier ones are kept as they were.
    take = models.PositiveSmallIntegerField(default=1)
    name = models.CharField(max_length=30)
    position = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    attempt = models.PositiveIntegerField(default=0)
    # A copy of the run's: the worker's write and the next worker's claim then meet on this one row.
    fencing_token = models.BigIntegerField(default=0)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    own_ms = models.FloatField(default=0, help_text="Time that the engine itself needed.")
    provider_ms = models.FloatField(default=0, help_text="Time spent waiting for the provider.")
    model = models.CharField(max_length=100, blank=True)
    tokens_in = models.PositiveIntegerField(default=0)
    tokens_out = models.PositiveIntegerField(default=0)
    cost_micros = models.BigIntegerField(default=0, help_text="Millionths of the currency of the price list.")
    reserved_tokens = models.PositiveIntegerField(default=0)
    reserved_micros = models.BigIntegerField(default=0)
    reserved_on = models.DateField(null=True)
    input_hash = models.BinaryField(max_length=32, null=True)
    prompt = models.JSONField(null=True, help_text="What the provider was asked.")
    answer = models.JSONField(null=True, help_text="What the provider answered: enough to replay the step.")
    output = models.JSONField(null=True, help_text="What later steps read.")
    error = models.TextField(blank=True)

    objects = RunStepQuerySet.as_manager()

    class Meta:
        ordering = ["take", "position"]
        constraints = [
            # Also serves "the steps of this run".
            models.UniqueConstraint(fields=["run", "take", "name"], name="run_step_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name} of run {self.run_id}"
