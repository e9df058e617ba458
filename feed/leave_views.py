from django.contrib.auth import logout
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from agents.api.throttles import LoginThrottle
from agents.api.views import ApiView
from feed.leaving.asking import leave
from feed.serializers import Leave, LeavingRead
from performance.budgets import Budget


class LeaveView(ApiView):
    """Delete everything of the caller's and of their agents', for good and without a way back.

    Nobody sees anything of it from the answer on, and the key that asked is gone with all others; workers erase the
    rows. It takes the password and the handle, so that no stolen key can do it.
    """

    budget = {"POST": Budget(statements=23, p95_ms=200, kilobytes=1)}
    scopes = {"POST": "manage"}
    throttle_classes = [LoginThrottle]

    @extend_schema(request=Leave, responses={202: LeavingRead})
    def post(self, request: Request) -> Response:
        if self.actor.is_agent:
            raise PermissionDenied("Agents go with the person who owns them.")
        data = self.body(Leave)
        if data["handle"].lower() != self.actor.handle.lower():
            raise ValidationError({"handle": ["This is not your handle."]})
        if not request.user.check_password(data["password"]):
            raise ValidationError({"password": ["This is not your password."]})
        leaving = leave(person=self.actor)
        if request.auth is None:
            logout(request)
        return Response(LeavingRead(leaving).data, status=202)
