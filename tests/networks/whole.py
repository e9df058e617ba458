"""Networks with their token endpoints, media and figures: what a whole way needs, from consent to analytics."""

import base64
import hashlib
import html
from datetime import UTC, datetime
from typing import Any

from tests.networks.server import Answer, Request
from tests.networks.speakers import GraphSpeaker, LinkedInSpeaker, XSpeaker

ORGANISATION = "urn:li:organization:5"
LINKEDIN_SCOPES = "openid,profile,w_member_social,r_organization_social,w_organization_social,rw_organization_admin"


class WholeLinkedIn(LinkedInSpeaker):
    """With its token endpoint, the roles of a person, images and figures."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.images: list[bytes] = []
        self.tokens = {"member-token"}

    def __call__(self, request: Request) -> Answer | None:
        match request.method, request.path:
            case "POST", "/oauth/token":
                answer = {"access_token": "member-token", "expires_in": 5_184_000, "scope": LINKEDIN_SCOPES}
                return Answer(200, answer)
            case "GET", "/v2/userinfo":
                return self.refused(request) or Answer(200, {"sub": "alice", "name": "Alice"})
            case "GET", "/rest/organizationAcls":
                return self.refused(request) or Answer(200, {"elements": [{"organization": ORGANISATION}]})
            case "POST", "/rest/images":
                owner = request.json["initializeUploadRequest"]["owner"]
                return Answer(200, {"value": {"uploadUrl": f"{self.url}/upload", "image": f"urn:li:image:{owner[-1]}"}})
            case "PUT", "/upload":
                self.images.append(request.raw)
                return Answer(201)
            case "GET", path if path.startswith("/rest/socialActions/"):
                return Answer(
                    200, {"likesSummary": {"totalLikes": 4}, "commentsSummary": {"aggregatedTotalComments": 2}}
                )
        return super().__call__(request)

    def create(self, body: dict[str, Any]) -> Answer:
        answer = super().create(body)
        self.posts[0] |= {"author": body["author"], "content": body.get("content")}
        return answer


class WholeGraph(GraphSpeaker):
    """With its token endpoint: a code gives a brief token, that a long one, and that the pages' own."""

    def __init__(self, pages: list[dict[str, Any]]) -> None:
        super().__init__()
        self.pages = pages
        self.forms: list[dict[str, str]] = []
        self.tokens = {page["access_token"] for page in pages}

    def __call__(self, request: Request) -> Answer | None:
        match request.method, request.path.split("/")[2:]:
            case "POST", ["oauth", "access_token"]:
                self.forms.append(request.form)
                is_long = request.form["grant_type"] == "fb_exchange_token"
                return Answer(200, {"access_token": "long" if is_long else "brief", "expires_in": 3600})
            case "GET", ["me", "accounts"]:
                return Answer(200, {"data": self.pages}) if request.token == "long" else Answer(401)
        return super().__call__(request)

    def is_of(self, post_id: str) -> bool:
        return any(post["id"] == post_id for post in self.posts)


class WholeInstagram(WholeGraph):
    def __init__(self) -> None:
        account = {"id": "gram", "username": "wren"}
        super().__init__([{"access_token": "page-token", "instagram_business_account": account}, {"access_token": "x"}])
        self.bodies: list[dict[str, Any]] = []
        self.polls = 3

    def __call__(self, request: Request) -> Answer | None:
        match request.method, request.path.split("/")[2:]:
            case "POST", ["gram", "media"]:
                self.bodies.append(request.json)
            case "GET", [post_id] if self.is_of(post_id):
                return Answer(200, {"like_count": 7, "comments_count": 1})
        return super().__call__(request)


class WholeFacebook(WholeGraph):
    """https://developers.facebook.com/docs/graph-api/reference/page/photos and /docs/graph-api/reference/page/feed"""

    def __init__(self) -> None:
        super().__init__([{"id": "page", "name": "Wrens", "access_token": "page-token"}])
        self.photos: list[dict[str, str]] = []
        self.bodies: list[dict[str, Any]] = []

    def __call__(self, request: Request) -> Answer | None:
        match request.method, request.path.split("/")[2:]:
            case "POST", ["page", "photos"]:
                return self.refused(request) or self.take_photo(request)
            case "POST", ["page", "feed"]:
                self.bodies.append(request.json)
            case "GET", ["page", "posts"]:
                return self.refused(request) or self.page(request)
            case "GET", [name] if self.is_of(name.removeprefix("page_")):
                return self.refused(request) or Answer(200, self.figures(request.query["fields"]))
        return super().__call__(request)

    def take_photo(self, request: Request) -> Answer:
        form = parts_of(request)
        assert form["published"] == "false", "The photo would be a post of its own."
        self.photos.append(form)
        return Answer(200, {"id": f"photo{len(self.photos)}"})

    def page(self, request: Request) -> Answer:
        since = datetime.fromtimestamp(int(request.query["since"]), UTC)
        found = [self.post(post, "message", "created_time") for post in self.posts if post["at"] >= since]
        return Answer(200, {"data": found, "paging": {"cursors": {"before": "b", "after": "a"}}})

    def figures(self, fields: str) -> dict[str, Any]:
        counts = {"likes": 9, "comments": 3}
        found: dict[str, Any] = {"id": "page_1", "shares": {"count": 2}}
        found |= {name: {"data": [], "summary": {"total_count": count}} for name, count in counts.items()}
        return {name: value for name, value in found.items() if name == "id" or name in fields}


class WholeX(XSpeaker):
    """https://docs.x.com/x-api/media/upload-media, /create-media-metadata and /posts/user-posts-timeline-by-user-id"""

    def __init__(self) -> None:
        super().__init__()
        self.challenge = ""
        self.tokens = set()
        self.refresh_token = ""
        self.uploads: list[dict[str, str]] = []
        self.alt_texts: dict[str, str] = {}

    def __call__(self, request: Request) -> Answer | None:
        if request.path == "/2/oauth2/token":
            return self.grant(request)
        match request.method, request.path.split("/")[2:]:
            case "GET", ["users", "me"]:
                return self.refused(request) or Answer(200, {"data": {"id": "99", "username": "wren", "name": "Wren"}})
            case "POST", ["media", "upload"]:
                return self.refused(request) or self.upload(request)
            case "POST", ["media", "metadata"]:
                self.alt_texts[request.json["id"]] = request.json["metadata"]["alt_text"]["text"]
                return self.refused(request) or Answer(200, {"data": {"id": request.json["id"]}})
            case "GET", ["users", "99", "tweets"]:
                return self.refused(request) or self.timeline(request)
            case "GET", ["tweets", post_id] if any(post["id"] == post_id for post in self.posts):
                return self.refused(request) or Answer(200, {"data": {"id": post_id, "public_metrics": FIGURES}})
        return super().__call__(request)

    def grant(self, request: Request) -> Answer:
        """Take a code with the verifier of its challenge, or the newest refresh token: each works once."""
        form = request.form
        if request.headers["authorization"] != f"Basic {base64.b64encode(b'house:hush').decode()}":
            return Answer(401, {"error": "unauthorized_client"})
        if form["grant_type"] == "authorization_code":
            digest = hashlib.sha256(form["code_verifier"].encode()).digest()
            is_good = base64.urlsafe_b64encode(digest).decode().rstrip("=") == self.challenge
        else:
            is_good = form["refresh_token"] == self.refresh_token
        if not is_good:
            return Answer(400, {"error": "invalid_request", "error_description": "Value passed was invalid."})
        self.refreshes += 1
        access, self.refresh_token = f"access-{self.refreshes}", f"refresh-{self.refreshes}"
        self.tokens = {access}
        answer = {"token_type": "bearer", "access_token": access, "refresh_token": self.refresh_token}
        return Answer(200, answer | {"expires_in": 7200, "scope": "tweet.write media.write offline.access"})

    def upload(self, request: Request) -> Answer:
        form = parts_of(request)
        if form["media_category"] != "tweet_image":
            return Answer(400, {"title": "Invalid Request", "detail": "media_category is required"})
        self.uploads.append(form)
        return Answer(200, {"data": {"id": f"77{len(self.uploads)}", "media_key": "3_77", "expires_after_secs": 86400}})

    def create(self, body: dict[str, Any]) -> Answer:
        answer = super().create(body)
        self.posts[0] |= {"media": body.get("media")}
        return answer

    def timeline(self, request: Request) -> Answer:
        since = datetime.fromisoformat(request.query["start_time"])
        found = [self.tweet(post) for post in self.posts if post["at"] >= since]
        # Without posts there is no `data` at all.
        return Answer(200, {"meta": {"result_count": len(found)}} | ({"data": found} if found else {}))

    def tweet(self, post: dict[str, Any]) -> dict[str, Any]:
        """Give a post back as X does: links shortened, and one of its own for the image."""
        tweet = super().tweet(post)
        image = "https://t.co/img"
        tweet["text"] = html.escape(post["text"].replace(LINK, "https://t.co/abc"), quote=False) + f" {image}"
        urls = [{"url": "https://t.co/abc", "expanded_url": LINK}, {"url": image, "expanded_url": "", "media_key": "3"}]
        return tweet | {"entities": {"urls": urls}}


LINK = "https://birds.example/a/long/way/to/the/wren"
FIGURES = {
    "like_count": 11,
    "reply_count": 4,
    "retweet_count": 2,
    "quote_count": 1,
    "bookmark_count": 5,
    "impression_count": 300,
}


def parts_of(request: Request) -> dict[str, str]:
    """Read a multipart form; files are read byte by byte as text."""
    boundary = request.headers["content-type"].partition("boundary=")[2]
    parts = request.raw.decode("latin-1").split(f"--{boundary}")[1:-1]
    found = {}
    for part in parts:
        head, _, body = part.partition("\r\n\r\n")
        found[head.partition('name="')[2].partition('"')[0]] = body.removesuffix("\r\n")
    return found
