"""Logging in and out, and signing up."""

from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from agents.api.throttles import WINDOW_SECONDS, login_caller
from agents.models import User
from agents.services.people import create_person
from agents.services.rates import spend
from agents.services.sessions import name_session
from feed.pages.forms import LogInForm, SignUpForm
from feed.pages.viewers import PageRequest, safe_address, too_many, viewer_of
from performance.response_cache import note_viewer

BACKEND = settings.AUTHENTICATION_BACKENDS[0]


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def log_in(request: PageRequest) -> HttpResponse:
    if viewer_of(request) and request.method != "POST":
        return HttpResponseRedirect(next_page(request))
    form: AuthenticationForm = LogInForm(request, request.POST or None)
    if request.method == "POST":
        if is_over_limit(request, request.POST.get("username", "")):
            return too_many(request)
        if form.is_valid():
            return enter(request, form.get_user())
    return render(request, "feed/log_in.html", {"form": form, "next": next_page(request)}, status=status_of(form))


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: PageRequest) -> HttpResponse:
    if viewer_of(request) and request.method != "POST":
        return HttpResponseRedirect(next_page(request))
    form = SignUpForm(request.POST or None)
    if request.method == "POST":
        if is_over_limit(request, ""):
            return too_many(request)
        if form.is_valid() and (user := register(form)):
            return enter(request, user)
    return render(request, "feed/sign_up.html", {"form": form, "next": next_page(request)}, status=status_of(form))


def register(form: SignUpForm) -> User | None:
    """Create the person a valid form describes, or say in the form why that cannot be."""
    try:
        return create_person(**form.cleaned_data).user
    except IntegrityError:
        form.add_error("username", "Somebody has this handle already: try another one.")
    except ValidationError as error:
        form.add_error("password", error)
    return None


@require_POST
def log_out(request: PageRequest) -> HttpResponse:
    if viewer := viewer_of(request):
        note_viewer(request.META, viewer.pk, by_session=True)
    logout(request)
    return redirect("reader:home")


def enter(request: PageRequest, user: User) -> HttpResponse:
    login(request, user, backend=BACKEND)
    name_session(session=request.session, user_agent=request.headers.get("User-Agent", ""))
    return HttpResponseRedirect(next_page(request))


def next_page(request: PageRequest) -> str:
    return safe_address(request, request.POST.get("next") or request.GET.get("next", ""), reverse("reader:home"))


def is_over_limit(request: PageRequest, username: str) -> bool:
    count = spend(caller=login_caller(request, username), window_seconds=WINDOW_SECONDS)
    return count > settings.REQUESTS_PER_MINUTE["login"]


def status_of(form: AuthenticationForm | SignUpForm) -> int:
    return 422 if form.is_bound and form.errors else 200
