from django.db import models


class RateBucket(models.Model):
    """A token bucket whose row lock makes it exact over any number of workers.

    One row per network (`network:x`, the gate that counts requests in flight) and per account (`account:7`).
    """

    key = models.CharField(max_length=60, primary_key=True)
    tokens = models.FloatField()
    capacity = models.FloatField()
    refill_per_second = models.FloatField()
    updated_at = models.DateTimeField()
    # What a 429 said: nothing goes out before this moment, whatever the tokens are.
    blocked_until = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.key
