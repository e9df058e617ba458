from __future__ import annotations

from collections.abc import Callable
from functools import cache, cached_property
from typing import Any, ClassVar

import orjson
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework.exceptions import NotAuthenticated, ValidationError
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request, wrap_attributeerrors
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from agents.api import cursors
from agents.api.authentication import acting_profile
from agents.api.negotiation import JSONNegotiation
from agents.api.parsers import printable
from agents.api.serializers import PageQuery, StrictSerializer
from agents.models import ApiKey, Profile
from performance.prepared import Rows
from performance.replica import may_lag
from performance.response_cache import note_viewer

# The largest key that PostgreSQL can be asked for.
MAX_ID = 2**63 - 1


_shared: dict[type[BaseSerializer[Any]], Any] = {}


def shared[S: BaseSerializer[Any]](serializer_class: type[S]) -> S:
    """Return the one instance that validates or shows without context: it keeps nothing of what passes through."""
    found: S | None = _shared.get(serializer_class)
    if found is None:
        found = _shared[serializer_class] = serializer_class()
    return found


@cache
def validated_nothing(serializer_class: type[StrictSerializer]) -> dict[str, Any]:
    """Return what a request without a query asks for; raise `ValidationError` where a parameter is required."""
    return dict(shared(serializer_class).run_validation({}))


@cache
def methods_of(view_class: type[APIView]) -> tuple[str, ...]:
    return tuple(name.upper() for name in view_class.http_method_names if hasattr(view_class, name))


class ApiRequest(Request):
    """DRF's request, with what everything asks of it at hand: DRF finds it through the request that it wraps.

    `counted` is how often its caller has read in this minute, when authentication has counted it already.
    """

    counted: int | None = None

    def __init__(self, request: HttpRequest, *, may_recall_caller: bool, **policies: Any) -> None:
        super().__init__(request, **policies)
        self.META, self.method, self.path = request.META, request.method, request.path
        self.may_recall_caller = may_recall_caller

    @property
    def user(self) -> Any:
        # DRF asks with `hasattr`, which on its request looks everywhere and raises twice, on every first use.
        if "_user" not in vars(self):
            with wrap_attributeerrors():
                self._authenticate()  # type: ignore[attr-defined]
        return self._user

    @user.setter
    def user(self, value: Any) -> None:
        self._user = self._request.user = value


class ApiView(APIView):
    """The base of every JSON endpoint."""

    content_negotiation_class = JSONNegotiation

    is_public: ClassVar[bool] = False
    # Whether a replica may answer, a moment behind for everyone but who wrote.
    may_lag: ClassVar[bool] = False
    # Whether it shows the caller's own row, which others change too: their follows are counted there.
    shows_caller: ClassVar[bool] = False
    scopes: ClassVar[dict[str, str]] = {}

    # A view that outsiders call with parameters of their own.
    takes_any_parameter: ClassVar[bool] = False
    _is_query_checked = False

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> ApiRequest:
        return ApiRequest(
            request,
            may_recall_caller=request.method in SAFE_METHODS and not self.shows_caller,
            parsers=self.get_parsers(),
            authenticators=self.get_authenticators(),
            negotiator=self.get_content_negotiator(),
            parser_context=self.get_parser_context(request),
        )

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if any(isinstance(value, int) and value > MAX_ID for value in kwargs.values()):
            raise Http404
        if request.method not in SAFE_METHODS:
            self.query(StrictSerializer)
        key = request.auth if isinstance(request.auth, ApiKey) else None
        viewer = self.viewer
        note_viewer(
            request.META,
            viewer.pk if viewer else None,
            expires_at=key.expires_at if key else None,
            by_session=viewer is not None and key is None,
        )

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Refuse the parameters of a reading that its handler did not ask about: a misspelt one is no filter."""
        is_open = self._is_query_checked or self.takes_any_parameter or response.status_code >= 400
        if not is_open and request.method in SAFE_METHODS:
            try:
                self.query(StrictSerializer)
            except ValidationError as error:
                response = self.handle_exception(error)
        return super().finalize_response(request, response, *args, **kwargs)

    @property
    def allowed_methods(self) -> list[str]:
        return list(methods_of(self.__class__))  # type: ignore[arg-type]

    @cached_property
    def viewer(self) -> Profile | None:
        """The profile that reads or acts, or None for a stranger."""
        return acting_profile(self.request)

    @property
    def actor(self) -> Profile:
        """The profile that acts; a stranger cannot."""
        if (viewer := self.viewer) is None:
            raise NotAuthenticated
        return viewer

    def load[T](self, read: Callable[[], T]) -> T:
        """Run what reads the rows of the answer, where this view may read them."""
        viewer = self.viewer
        return may_lag(read, viewer=viewer.pk if viewer else None) if self.may_lag else read()

    def query(self, serializer_class: type[StrictSerializer]) -> dict[str, Any]:
        """Validate the query parameters; each may be given once."""
        self._is_query_checked = True
        if not self.request.META.get("QUERY_STRING"):
            return dict(validated_nothing(serializer_class))
        given = self.request.query_params
        repeated = [name for name, values in given.lists() if len(values) > 1]
        if repeated:
            raise ValidationError({printable(name): ["Give this parameter once."] for name in repeated})
        return dict(shared(serializer_class).run_validation(given.dict()))

    def body(self, serializer_class: type[StrictSerializer], *, partial: bool = False) -> dict[str, Any]:
        """Validate the body; with `partial`, fields may be left out."""
        data = self.request.data
        if not partial and data is not None:
            return dict(shared(serializer_class).run_validation(data))
        serializer = serializer_class(data=data, partial=partial)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    @property
    def cursor_scope(self) -> str:
        """What a cursor of this list is bound to: the route and its arguments."""
        return self.request.path

    def page[M: Model](
        self,
        queryset: QuerySet[M],
        serializer_class: type[BaseSerializer[Any]],
        *,
        order: tuple[str, ...] = ("-id",),
        query_class: type[PageQuery] = PageQuery,
    ) -> Response:
        """Answer one page of a query set, in an order whose last field is unique."""
        query = self.query(query_class)
        position = cursors.decode(self.cursor_scope, query["cursor"]) if "cursor" in query else None
        rows = self.load(lambda: list(cursors.rows_after(queryset, order, position)[: query["limit"] + 1]))
        return self.answer(rows, serializer_class, order=order, limit=query["limit"])

    def answer[M: Model](
        self, rows: list[M], serializer_class: type[BaseSerializer[Any]], *, order: tuple[str, ...], limit: int
    ) -> Response:
        """Answer rows of which one more than `limit` says that there is a next page."""
        shown = rows[:limit]
        has_next = len(rows) > limit
        return Response(
            {
                "results": serializer_class(shown, many=True, context={"request": self.request}).data,
                "next_cursor": cursors.encode(self.cursor_scope, cursors.position_of(shown[-1], order))
                if has_next
                else None,
            }
        )

    def place(self) -> tuple[int, int, int]:
        """Return the size of the page that is asked for and the two numbers that it starts after."""
        query = self.query(PageQuery)
        cursor = query.get("cursor")
        first, second = cursors.decode(self.cursor_scope, cursor) if cursor else cursors.BEFORE_ALL
        return query["limit"], first, second

    def written_page(self, rows: Rows, *, limit: int) -> HttpResponse:
        """Answer rows that PostgreSQL wrote, of which one more than `limit` says that there is a next page."""
        cursor = b"null"
        if len(rows) > limit:
            cursor = b'"%b"' % cursors.encode(self.cursor_scope, rows[limit - 1].position_values()).encode()
        return self.written(b'{"results":[%b],"next_cursor":%b}' % (rows.json(limit), cursor))

    @classmethod
    def shown(cls, serializer_class: type[BaseSerializer[Any]], row: Model, *, status: int = 200) -> HttpResponse:
        """Answer one row whose relations are loaded."""
        return cls.written(orjson.dumps(shared(serializer_class).to_representation(row)), status=status)

    @staticmethod
    def written(body: bytes, *, status: int = 200) -> HttpResponse:
        """Answer JSON that is written already."""
        return HttpResponse(body, content_type="application/json", status=status)
