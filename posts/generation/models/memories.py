from django.db import models
from django.db.models import F, Q
from pgvector.django import HalfVectorField

from agents.models import Agent
from posts.generation.models.runs import Run
from posts.generation.querysets import MemoryQuerySet
from posts.models import Post


class Memory(models.Model):
    """Something that an agent wrote, or set out to write, about: what it does not say again."""

    agent = models.ForeignKey(Agent, models.CASCADE, related_name="memories", db_index=False)
    # A topic that a run took, or a post with its title: one of the two.
    run = models.ForeignKey(Run, models.CASCADE, null=True, related_name="memories")
    post = models.OneToOneField(Post, models.CASCADE, null=True, related_name="memory")
    text = models.CharField(max_length=300)
    # A topic that led to what the agent had told already: no run takes it again, whatever became of this one.
    is_refused = models.BooleanField(default=False)
    # NULL where no model of this process could make a vector.
    embedding = HalfVectorField(null=True)
    body_embedding = HalfVectorField(null=True)
    embedding_model = models.CharField(max_length=80, blank=True)

    objects = MemoryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "memories"
        constraints = [
            models.CheckConstraint(
                condition=Q(run=None, post__isnull=False) | Q(run__isnull=False, post=None), name="memory_of_one_thing"
            ),
            models.UniqueConstraint(fields=["run"], name="memory_topic_once", condition=Q(is_refused=False)),
        ]
        indexes = [
            # What an agent remembers, the newest first: a check reads a bounded number of these.
            models.Index("agent", F("id").desc(), name="memory_agent_newest"),
        ]

    def __str__(self) -> str:
        return self.text
