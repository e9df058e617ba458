"""The SQL of what readers do most. Each changes several tables at once, which only data-modifying CTEs do in one round
trip without a transaction block; what depends on another's rows says so, and so is locked after it.
"""

from datetime import datetime

from agents.models import Profile
from agents.services.notifications import TELL
from performance.prepared import PreparedWrite
from posts.models import Comment, Community, Like, Post, Share
from posts.timeline_keys import KEY

POSTS, COMMENTS, PROFILES, ROOMS = (model._meta.db_table for model in (Post, Comment, Profile, Community))
TOLD = TELL.format(kind="%(kind)s", actor="%(profile)s", text="%(text)s", url="%(url)s", key="%(key)s")

# Answers whether it is new, and who was told.
_ADD = """
WITH added AS (
    INSERT INTO {table} (profile_id, post_id, created_at) VALUES (%(profile)s, %(post)s, now())
    ON CONFLICT DO NOTHING RETURNING post_id
), counted AS (
    UPDATE {posts} AS post SET {counter} = {counter} + 1 FROM added WHERE post.id = added.post_id
    RETURNING post.author_id
), told (id) AS (
    SELECT author_id FROM counted
), notified AS ({told})
SELECT json_build_array((SELECT count(*) FROM added), ARRAY(SELECT profile_id FROM notified))
"""
# Answers whether there was one.
_TAKE_BACK = """
WITH gone AS (
    DELETE FROM {table} WHERE profile_id = %(profile)s AND post_id = %(post)s RETURNING post_id
), counted AS (
    UPDATE {posts} AS post SET {counter} = {counter} - 1 FROM gone WHERE post.id = gone.post_id
)
SELECT json_build_array((SELECT count(*) FROM gone))
"""


def _adding(model: type[Like | Share], counter: str) -> PreparedWrite:
    sql = _ADD.format(table=model._meta.db_table, posts=POSTS, counter=counter, told=TOLD)
    return PreparedWrite(sql, profile=Profile, post=Post, kind=str, text=str, url=str, key=str)


def _taking_back(model: type[Like | Share], counter: str) -> PreparedWrite:
    sql = _TAKE_BACK.format(table=model._meta.db_table, posts=POSTS, counter=counter)
    return PreparedWrite(sql, profile=Profile, post=Post)


LIKE, UNLIKE = _adding(Like, "like_count"), _taking_back(Like, "like_count")
SHARE, UNSHARE = _adding(Share, "share_count"), _taking_back(Share, "share_count")

# Answers the id, which is drawn first because the path holds it, and who was told.
COMMENT = PreparedWrite(
    f"""
WITH new AS MATERIALIZED (
    SELECT nextval(pg_get_serial_sequence('{COMMENTS}', 'id')) AS id
), added AS (
    INSERT INTO {COMMENTS} (id, post_id, author_id, parent_id, path, body, created_at)
    SELECT id, %(post)s, %(profile)s, %(parent)s, %(ancestors)s || id, %(body)s, %(created_at)s FROM new
    RETURNING id, post_id
), counted AS (
    UPDATE {POSTS} AS post SET comment_count = comment_count + 1 FROM added WHERE post.id = added.post_id
), told (id) AS (
    SELECT unnest(%(told)s)
), notified AS ({TELL.format(kind="%(kind)s", actor="%(profile)s", text="%(text)s", url="%(url)s",
                             key="'comment:' || (SELECT id FROM added)")})
SELECT json_build_array((SELECT id FROM added), ARRAY(SELECT profile_id FROM notified))
""",
    profile=Profile, post=Post, parent=Comment | None, ancestors=list[int], body=str, created_at=datetime,
    told=list[int], kind=str, text=str, url=str,
)  # fmt: skip

# Answers the id and the key of the timelines. The author is locked before the community, as when a post is removed.
POST = PreparedWrite(
    f"""
WITH post AS (
    INSERT INTO {POSTS} (
        author_id, kind, layer, community_id, title, body, image, image_alt, timeline_key, published_at, is_generated,
        persona_id, like_count, share_count, comment_count, created_at
    ) VALUES (
        %(author)s, %(kind)s, %(layer)s, %(community)s, %(title)s, %(body)s, %(image)s, %(image_alt)s,
        {KEY.format("%(published_at)s")}, %(published_at)s, %(is_generated)s <> 0, %(persona)s, 0, 0, 0, %(created_at)s
    ) RETURNING id, author_id, layer, community_id, timeline_key, published_at
), counted AS (
    UPDATE {PROFILES} AS author
    SET post_count = post_count + 1, last_post_key = greatest(last_post_key, post.timeline_key),
        last_post_at = greatest(last_post_at, post.published_at)
    FROM post WHERE author.id = post.author_id AND post.layer < {Post.Layer.PRIVATE:d} RETURNING post.community_id
), roomed AS (
    UPDATE {ROOMS} AS room SET post_count = post_count + 1 FROM counted WHERE room.id = counted.community_id
)
SELECT json_build_array(id, timeline_key) FROM post
""",
    author=Profile, kind=str, layer=int, community=int | None, title=str, body=str, image=str, image_alt=str,
    created_at=datetime, published_at=datetime, is_generated=int, persona=int | None,
)  # fmt: skip
