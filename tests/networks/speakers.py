"""What each network answers to the requests that its documentation describes."""

import html
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.networks.server import Answer, Request

_ids = itertools.count(1)


def now() -> str:
    return datetime.now(UTC).isoformat()


class Speaker:
    """The posts of one network, and the tokens that it takes."""

    def __init__(self) -> None:
        self.posts: list[dict[str, Any]] = []
        self.tokens: set[str] | None = None
        self.refreshes = 0
        self.refuses_duplicates = False

    def texts(self) -> list[str]:
        return [post["text"] for post in self.posts]

    def refused(self, request: Request) -> Answer | None:
        if self.tokens is not None and request.token not in self.tokens:
            return Answer(401, {"error": "The access token is invalid"})
        return None

    def add(self, text: str, **more: Any) -> dict[str, Any]:
        post = {"id": str(1000 + next(_ids)), "text": text, "at": datetime.now(UTC), **more}
        self.posts.insert(0, post)
        return post

    def has(self, text: str) -> bool:
        return any(post["text"] == text for post in self.posts)


class MastodonSpeaker(Speaker):
    """https://docs.joinmastodon.org/methods/statuses/"""

    polls = 0

    def __call__(self, request: Request) -> Answer | None:
        match request.method, request.path.split("/")[1:]:
            case "POST", ["api", "v1", "statuses"]:
                return self.refused(request) or self.create(request)
            case "GET", ["api", "v1", "accounts", "7", "statuses"]:
                older = [post for post in self.posts if int(post["id"]) < int(request.query.get("max_id", 10**9))]
                return self.refused(request) or Answer(200, [self.status(post) for post in older[:40]])
            case "GET", ["api", "v1", "statuses", status_id]:
                found = [self.status(post) for post in self.posts if post["id"] == status_id]
                return Answer(200, found[0]) if found else Answer(404, {"error": "Record not found"})
            case "POST", ["api", "v2", "media"]:
                return Answer(202 if self.polls else 200, {"id": "55", "url": None})
            case "GET", ["api", "v1", "media", "55"]:
                self.polls -= 1
                return Answer(206 if self.polls else 200, {"id": "55"})
        return None

    def create(self, request: Request) -> Answer:
        key = request.headers.get("idempotency-key")
        for post in self.posts:
            if key and post["key"] == key:
                return Answer(200, self.status(post))
        body = request.json
        if len(body["status"]) > 500:
            return Answer(422, {"error": "Validation failed: Text character limit of 500 exceeded"})
        return Answer(200, self.status(self.add(body["status"], key=key, reply_to=body.get("in_reply_to_id"))))

    def status(self, post: dict[str, Any]) -> dict[str, Any]:
        content = html.escape(post["text"]).replace("\n\n", "</p><p>").replace("\n", "<br />")
        return {
            "id": post["id"],
            "content": f"<p>{content}</p>",
            "created_at": post["at"].isoformat().replace("+00:00", "Z"),
            "url": f"https://mastodon.test/@wren/{post['id']}",
            "favourites_count": 3,
            "replies_count": 2,
            "reblogs_count": 1,
        }


class BlueskySpeaker(Speaker):
    """https://docs.bsky.app/docs/api/com-atproto-repo-create-record"""

    def __call__(self, request: Request) -> Answer | None:
        match request.method, request.path.removeprefix("/xrpc/"):
            case "POST", "com.atproto.server.createSession":
                if request.json["password"] != "app-password":
                    return Answer(401, {"error": "AuthenticationRequired", "message": "Invalid identifier or password"})
                return Answer(200, {"did": "did:plc:wren", "handle": "wren.test"} | self.session())
            case "POST", "com.atproto.server.refreshSession":
                self.refreshes += 1
                return Answer(200, self.session())
            case "POST", "com.atproto.repo.createRecord":
                return self.refused(request) or self.create(request.json)
            case "POST", "com.atproto.repo.uploadBlob":
                return Answer(200, {"blob": {"$type": "blob", "size": len(request.raw)}})
            case "GET", "com.atproto.repo.getRecord":
                return self.refused(request) or self.get(request.query["rkey"])
        return None

    def session(self) -> dict[str, str]:
        token = f"access-{next(_ids)}"
        if self.tokens is not None:
            self.tokens = {token}
        return {"accessJwt": token, "refreshJwt": f"refresh-{token}"}

    def refused(self, request: Request) -> Answer | None:
        if super().refused(request):
            return Answer(400, {"error": "ExpiredToken", "message": "Token has expired"})
        return None

    def create(self, body: dict[str, Any]) -> Answer:
        if any(post["rkey"] == body["rkey"] for post in self.posts):
            return Answer(400, {"error": "InvalidRequest", "message": "Record already exists"})
        post = self.add(body["record"]["text"], rkey=body["rkey"], record=body["record"])
        return Answer(200, {"uri": self.uri(post), "cid": f"cid{post['id']}"})

    def get(self, rkey: str) -> Answer:
        for post in self.posts:
            if post["rkey"] == rkey:
                return Answer(200, {"uri": self.uri(post), "cid": f"cid{post['id']}", "value": post["record"]})
        return Answer(400, {"error": "RecordNotFound", "message": f"Could not locate record: {rkey}"})

    @staticmethod
    def uri(post: dict[str, Any]) -> str:
        return f"at://did:plc:wren/app.bsky.feed.post/{post['rkey']}"


class XSpeaker(Speaker):
    """https://docs.x.com/x-api/posts/create-post"""

    def __call__(self, request: Request) -> Answer | None:
        match request.method, request.path.split("/")[1:]:
            case "POST", ["2", "tweets"]:
                return self.refused(request) or self.create(request.json)
            case "GET", ["2", "users", "99", "tweets"]:
                return Answer(200, {"data": [self.tweet(post) for post in self.posts], "meta": {}})
            case "POST", ["2", "oauth2", "token"]:
                self.refreshes += 1
                return self.refresh(request)
        return None

    def refresh(self, request: Request) -> Answer:
        if request.form.get("refresh_token") == "revoked":
            return Answer(400, {"error": "invalid_request", "error_description": "Value passed was invalid."})
        token = f"access-{next(_ids)}"
        if self.tokens is not None:
            self.tokens = {token}
        return Answer(200, {"token_type": "bearer", "expires_in": 7200, "access_token": token})

    def create(self, body: dict[str, Any]) -> Answer:
        if self.has(body["text"]):
            detail = "You are not allowed to create a Tweet with duplicate content."
            return Answer(403, {"title": "Forbidden", "status": 403, "detail": detail})
        post = self.add(body["text"], reply=body.get("reply"))
        return Answer(201, {"data": {"id": post["id"], "text": post["text"]}})

    def tweet(self, post: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": post["id"],
            "text": html.escape(post["text"], quote=False),
            "created_at": post["at"].strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        }


class LinkedInSpeaker(Speaker):
    """https://learn.microsoft.com/linkedin/marketing/community-management/shares/posts-api"""

    sunset = False

    def __call__(self, request: Request) -> Answer | None:
        if request.path != "/rest/posts":
            return None
        if self.sunset:
            return Answer(426, {"code": "NONEXISTENT_VERSION", "message": "Requested version is not active"})
        if request.method == "POST":
            return self.refused(request) or self.create(request.json)
        elements = [
            {
                "id": post["urn"],
                "commentary": post["commentary"],
                "createdAt": int(post["at"].timestamp() * 1000),
            }
            for post in self.posts
        ]
        return Answer(200, {"elements": elements[: int(request.query["count"])]})

    def create(self, body: dict[str, Any]) -> Answer:
        commentary = body["commentary"]
        if self.refuses_duplicates and any(post["commentary"] == commentary for post in self.posts):
            return Answer(422, {"code": "DUPLICATE_POST", "message": "Content is a duplicate of urn:li:share:1"})
        post = self.add(commentary.replace("\\", ""), commentary=commentary)
        post["urn"] = f"urn:li:share:{post['id']}"
        return Answer(201, None, {"x-restli-id": post["urn"]})


class GraphSpeaker(Speaker):
    """https://developers.facebook.com/docs/pages-api/posts and /docs/instagram-platform/content-publishing"""

    polls = 0

    def __init__(self) -> None:
        super().__init__()
        self.containers: dict[str, str] = {}

    def refused(self, request: Request) -> Answer | None:
        if super().refused(request):
            return Answer(400, {"error": {"code": 190, "message": "Error validating access token"}})
        return None

    def __call__(self, request: Request) -> Answer | None:
        match request.method, request.path.split("/")[2:]:
            case "POST", ["page", "feed"]:
                return self.refused(request) or self.feed(request.json["message"])
            case "GET", ["page", "posts"]:
                return Answer(200, {"data": [self.post(post, "message", "created_time") for post in self.posts]})
            case "POST", ["gram", "media"]:
                container = f"c{next(_ids)}"
                self.containers[container] = request.json["caption"]
                return self.refused(request) or Answer(200, {"id": container})
            case "POST", ["gram", "media_publish"]:
                return Answer(200, {"id": self.add(self.containers[request.json["creation_id"]])["id"]})
            case "GET", ["gram", "media"]:
                return Answer(200, {"data": [self.post(post, "caption", "timestamp") for post in self.posts]})
            case "GET", [container] if container in self.containers:
                self.polls -= 1
                return Answer(200, {"status_code": "IN_PROGRESS" if self.polls > 0 else "FINISHED"})
        return None

    def feed(self, message: str) -> Answer:
        if self.refuses_duplicates and self.has(message):
            return Answer(400, {"error": {"code": 506, "message": "Duplicate status message"}})
        return Answer(200, {"id": f"page_{self.add(message)['id']}"})

    def post(self, post: dict[str, Any], text: str, moment: str) -> dict[str, Any]:
        prefix = "page_" if text == "message" else ""
        at = post["at"].strftime("%Y-%m-%dT%H:%M:%S+0000")
        return {"id": f"{prefix}{post['id']}", text: post["text"], moment: at}


class WebhookSpeaker(Speaker):
    """A receiver of somebody's own; with `remembers` it honours the Idempotency-Key."""

    remembers = False

    def __call__(self, request: Request) -> Answer | None:
        if request.method != "POST" or request.path != "/hook":
            return None
        key = request.headers["idempotency-key"]
        known = next((post for post in self.posts if self.remembers and post["key"] == key), None)
        post = known or self.add(request.json["text"], key=key, headers=request.headers, raw=request.raw)
        return Answer(200, {"id": post["id"], "url": f"https://hook.test/{post['id']}"})


def long_ago(post: dict[str, Any]) -> None:
    """Make a post older than any attempt of today."""
    post["at"] -= timedelta(days=1)
