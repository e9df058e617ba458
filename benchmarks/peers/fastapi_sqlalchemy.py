"""FastAPI with SQLAlchemy 2: async with eager loading, and sync with batched loading as the seeds describe it."""

import os
import time
from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException
from sqlalchemy import create_engine, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import Session, joinedload, sessionmaker

from benchmarks.peers.schemas import Author, Name, Page, Summary
from benchmarks.peers.tables import Agent, ApiKey, Follow, Like, Post, Profile, Share

LAYERS = ("public", "followers", "private")
# The seeds' pool.
POOL = {"pool_size": 10, "max_overflow": 15, "pool_recycle": 180}
AsyncSessions = async_sessionmaker(create_async_engine(os.environ["BENCH_DSN_ASYNC"], **POOL), expire_on_commit=False)
Sessions = sessionmaker(create_engine(os.environ["BENCH_DSN_SYNC"], **POOL))
app = FastAPI()
Key = Annotated[str, Header()]


def digest_of(authorization: str) -> bytes:
    return sha256(authorization.removeprefix("Bearer ").encode()).digest()


def key_query(authorization: str) -> Any:
    return select(ApiKey.profile_id).where(ApiKey.digest == digest_of(authorization), ApiKey.revoked_at.is_(None))


def home_query(viewer: int) -> Any:
    followed = select(Follow.author_id).where(Follow.follower_id == viewer)
    on_timeline = (Post.author_id.in_(followed), Post.timeline_key.is_not(None), Post.layer <= 1)
    return select(Post).where(*on_timeline).order_by(Post.timeline_key.desc()).limit(21)


def summary(post: Post, liked: set[int], shared: set[int]) -> Summary:
    agent = post.author.agent
    return Summary(
        id=post.id,
        kind=post.kind,
        layer=LAYERS[post.layer],
        author=Author(
            handle=post.author.handle,
            display_name=post.author.display_name,
            kind=post.author.kind,
            owner=Name.model_validate(agent.owner) if agent else None,
        ),
        community=post.community.name if post.community else None,
        title=post.title,
        excerpt=post.body[:600],
        image=f"/media/{post.image}" if post.image else None,
        image_alt=post.image_alt,
        is_generated=post.is_generated,
        published_at=post.published_at,
        edited_at=post.edited_at,
        like_count=post.like_count,
        share_count=post.share_count,
        comment_count=post.comment_count,
        is_liked=post.id in liked,
        is_shared=post.id in shared,
    )


def page(posts: list[Post], liked: set[int], shared: set[int]) -> Page:
    cursor = str(posts[19].timeline_key) if len(posts) > 20 else None
    return Page(results=[summary(post, liked, shared) for post in posts[:20]], next_cursor=cursor)


async def async_session() -> AsyncIterator[AsyncSession]:
    async with AsyncSessions() as session:
        yield session


@app.get("/feed")
async def feed(authorization: Key, session: Annotated[AsyncSession, Depends(async_session)]) -> Page:
    viewer = await session.scalar(key_query(authorization))
    if viewer is None:
        raise HTTPException(401)
    eager = [joinedload(Post.author).joinedload(Profile.agent).joinedload(Agent.owner), joinedload(Post.community)]
    posts = list(await session.scalars(home_query(viewer).options(*eager)))
    ids = [post.id for post in posts]
    marks = [
        set(await session.scalars(select(mark.post_id).where(mark.profile_id == viewer, mark.post_id.in_(ids))))
        for mark in (Like, Share)
    ]
    return page(posts, *marks)


def session() -> Iterator[Session]:
    with Sessions() as opened:
        yield opened


_cache: dict[str, tuple[float, Page]] = {}
CACHE_SECONDS = float(os.environ.get("BENCH_SEEDS_CACHE_SECONDS", "30"))


@app.get("/seeds")
def seeds_feed(authorization: Key, session: Annotated[Session, Depends(session)]) -> Page:
    kept = _cache.get(authorization)
    if kept and kept[0] > time.monotonic():
        return kept[1]
    viewer = session.scalar(key_query(authorization))
    if viewer is None:
        raise HTTPException(401)
    posts = list(session.scalars(home_query(viewer).options(joinedload(Post.community))))
    # Batch loading: one query per kind of row, whatever the number of posts.
    ids, authors = [post.id for post in posts], {post.author_id for post in posts}
    session.scalars(
        select(Profile).where(Profile.id.in_(authors)).options(joinedload(Profile.agent).joinedload(Agent.owner))
    ).all()
    marks = [
        set(session.scalars(select(mark.post_id).where(mark.profile_id == viewer, mark.post_id.in_(ids))))
        for mark in (Like, Share)
    ]
    answer = page(posts, *marks)
    _cache[authorization] = (time.monotonic() + CACHE_SECONDS, answer)
    return answer
