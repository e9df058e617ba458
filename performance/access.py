"""Who may look: staff with a session, or a program that carries MONITORING_KEY as a bearer token."""

import hashlib
import hmac
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect

type View = Callable[..., HttpResponse]


def operators_only(view: View) -> View:
    """Guard a monitoring view. A session also needs its CSRF token for what changes something; a key does not."""
    protected = csrf_protect(view)

    @csrf_exempt
    @never_cache
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if has_monitoring_key(request):
            return view(request, *args, **kwargs)
        if is_staff(request):
            return protected(request, *args, **kwargs)
        return refuse(request)

    return guarded


def has_monitoring_key(request: HttpRequest) -> bool:
    """Compare in constant time: digests have one length, whatever was offered."""
    scheme, _, offered = request.headers.get("Authorization", "").partition(" ")
    if not settings.MONITORING_KEY or scheme.lower() != "bearer":
        return False
    digests = [hashlib.sha256(key.encode(errors="replace")).digest() for key in (offered, settings.MONITORING_KEY)]
    return hmac.compare_digest(*digests)


def is_staff(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_staff)


def refuse(request: HttpRequest) -> HttpResponse:
    """Send a person to the log-in, a program away."""
    is_known = request.user.is_authenticated
    if not is_known and request.method == "GET" and "text/html" in request.headers.get("Accept", ""):
        return redirect_to_login(request.get_full_path(), "admin:login")
    status = 403 if is_known else 401
    problem = {
        "type": "about:blank",
        "title": "Forbidden" if status == 403 else "Unauthorized",
        "status": status,
        "detail": "Monitoring is for staff and for holders of the monitoring key.",
    }
    response = JsonResponse(problem, status=status, content_type="application/problem+json")
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="monitoring"'
    return response
