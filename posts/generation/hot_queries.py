"""The queries of generation runs that must be quick."""

from performance.hot_queries import hot_query
from posts.generation.models import Run

hot_query("run", index="generation_run_pkey", build=lambda: Run.objects.filter(pk=1).for_detail())
hot_query("run of a post", index="generation_run_post_id_key", build=lambda: Run.objects.filter(post=1).for_receipt())
hot_query(
    "run of a message", index="generation_run_reply_id_key", build=lambda: Run.objects.filter(reply=1).for_receipt()
)
