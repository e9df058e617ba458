"""Credentials that are easy to recognise, and networks that repeat every one that they are sent."""

from django.db import connection

from tests.networks.server import Answer, Request
from tests.networks.speakers import BlueskySpeaker

ACCESS, REFRESH, NEXT_ACCESS = "canary-access-5b1", "canary-refresh-7c2", "canary-nextaccess-9d3"
CLIENT_SECRET, APP_PASSWORD, SESSION = "canary-client-2e4", "canary-password-4f5", "canary-session-6a6"
CODE = "canary-code-8b7"
ALL = [ACCESS, REFRESH, NEXT_ACCESS, CLIENT_SECRET, APP_PASSWORD, SESSION, CODE]


class TalkativeX:
    """X as a hostile copy of it would be: an error repeats every credential that came with the request."""

    refuses = False

    def __call__(self, request: Request) -> Answer | None:
        told = f"{request.headers.get('authorization')} {request.raw.decode('latin-1')}"
        match request.method, request.path:
            case "POST", "/2/oauth2/token" if self.refuses:
                return Answer(400, {"error": "invalid_request", "error_description": f"Refused: {told}"})
            case "POST", "/2/oauth2/token" if "refresh_token" in request.form:
                return Answer(200, {"access_token": NEXT_ACCESS, "expires_in": 7200})
            case "POST", "/2/oauth2/token":
                return Answer(200, {"access_token": ACCESS, "refresh_token": REFRESH, "expires_in": 7200})
            case "GET", "/2/users/me":
                return Answer(200, {"data": {"id": "99", "username": "wren"}})
            case "POST", "/2/tweets" if self.refuses:
                return Answer(403, {"title": "Forbidden", "detail": f"Refused: {told}"})
            case "POST", "/2/tweets":
                return Answer(201, {"data": {"id": str(abs(hash(request.raw))), "text": request.json["text"]}})
            case "GET", path if path.startswith("/2/tweets/"):
                return Answer(403, {"title": "Forbidden", "detail": f"Refused: {told}"})
        return None


class TalkativePds(BlueskySpeaker):
    """A server of Bluesky's kind that repeats the password of whom it does not know."""

    def __call__(self, request: Request) -> Answer | None:
        if not request.path.endswith("createSession"):
            return super().__call__(request)
        if request.json["identifier"] == "nobody":
            return Answer(400, {"error": "InvalidRequest", "message": f"Refused: {request.raw.decode()}"})
        return Answer(200, {"did": "did:plc:wren", "handle": "wren", "accessJwt": SESSION, "refreshJwt": REFRESH})


def rows_of(prefix: str) -> str:
    """Return every row of the tables whose names begin with a prefix, as text."""
    with connection.cursor() as cursor:
        rows = []
        for table in connection.introspection.table_names(cursor):
            if table.startswith(prefix):
                cursor.execute(f"SELECT row::text FROM {connection.ops.quote_name(table)} AS row")
                rows += [row for (row,) in cursor.fetchall()]
    return "\n".join(rows)
