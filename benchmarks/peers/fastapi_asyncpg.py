"""FastAPI, asyncpg without an ORM, orjson; and the same with answers kept in Valkey."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Annotated, Any

import asyncpg
import redis.asyncio
from fastapi import FastAPI, Header, HTTPException, Request, Response

from benchmarks.peers.rows import CALLER, home_for, page

cache = redis.asyncio.Redis.from_url(os.environ["BENCH_CACHE"])


async def keep_as_it_is(connection: Any) -> None:
    """Leave out the round trip in which asyncpg's pool resets a connection that it gets back."""


# The pool as its documentation has it, or without its reset, which these reads do not need.
RESET = {"reset": keep_as_it_is} if "BENCH_WITHOUT_RESET" in os.environ else {}


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    settings = {"plan_cache_mode": "force_generic_plan"}
    async with asyncpg.create_pool(
        os.environ["BENCH_DSN_URL"], min_size=4, max_size=8, server_settings=settings, **RESET
    ) as pool:
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)


async def answer(request: Request, authorization: str) -> bytes:
    digest = sha256(authorization.removeprefix("Bearer ").encode()).digest()
    async with request.app.state.pool.acquire() as connection:
        known = await connection.fetchrow(CALLER, digest)
        if known is None or not known["may_read"]:
            raise HTTPException(401)
        return page(await connection.fetch(home_for(known["following_count"]), known["profile_id"]))


@app.get("/feed")
async def feed(request: Request, authorization: Annotated[str, Header()]) -> Response:
    return Response(await answer(request, authorization), media_type="application/json")


@app.get("/cached")
async def cached(request: Request, authorization: Annotated[str, Header()]) -> Response:
    name = f"bench:fastapi:{authorization}"
    body = await cache.get(name)
    if body is None:
        body = await answer(request, authorization)
        await cache.set(name, body, ex=30)
    return Response(body, media_type="application/json")
