"""A person's own settings: profile, password, API keys."""

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.db.models.functions import Now
from django.forms import Form
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from agents.api.serializers import MAX_LIMIT
from agents.models import ApiKey, Block, Profile
from agents.services import keys, people
from agents.views.access import get_own_agent
from feed.pages import drafts
from feed.pages.forms import BlockForm, ChangePasswordForm, KeyForm, ProfileForm
from feed.pages.viewers import PageRequest, for_viewer, log_in_first, viewer_of
from performance.budgets import Budget, budgeted


@budgeted(Budget(statements=7, p95_ms=100, kilobytes=60))
@never_cache
@require_safe
@for_viewer
def settings(request: PageRequest, viewer: Profile) -> HttpResponse:
    return show(request, viewer)


def show(request: PageRequest, viewer: Profile, *, secret: str = "", **bound: Form) -> HttpResponse:
    """Show all settings; a form that was refused keeps what was typed."""
    profile = drafts.take(request, "profile") or {"display_name": viewer.display_name, "bio": viewer.bio}
    context = {
        "profile_form": ProfileForm(initial=profile),
        "password_form": ChangePasswordForm(request.user),
        "key_form": KeyForm(owner=viewer),
        "keys": ApiKey.objects.for_list(viewer).live()[:MAX_LIMIT],
        "secret": secret,
        "sessions": request.user.sessions.filter(expire_date__gt=Now()).order_by("-created_at")[:MAX_LIMIT],
        "export": viewer.exports.order_by("-id").first(),
        "block_form": BlockForm(),
        "blocked": Block.objects.for_list(viewer)[:MAX_LIMIT],
    }
    return render(request, "feed/settings.html", {**context, **bound}, status=422 if bound else 200)


@require_POST
def change_profile(request: PageRequest) -> HttpResponse:
    if viewer_of(request) is None:
        drafts.keep(request, "profile", display_name=80, bio=2000)
        return log_in_first(request, then=reverse("reader:settings"))
    return change_profile_as_viewer(request)


@for_viewer
def change_profile_as_viewer(request: PageRequest, viewer: Profile) -> HttpResponse:
    form = ProfileForm(request.POST)
    if not form.is_valid():
        return show(request, viewer, profile_form=form)
    people.update_profile(profile=viewer, **form.cleaned_data)
    messages.success(request, "Your profile is saved.")
    return redirect("reader:settings")


@sensitive_post_parameters()
@require_POST
@for_viewer
def change_password(request: PageRequest, viewer: Profile) -> HttpResponse:
    """Change the password, which ends every other session: their hash no longer fits."""
    form = ChangePasswordForm(request.user, request.POST)
    if not form.is_valid():
        return show(request, viewer, password_form=form)
    update_session_auth_hash(request, form.save())
    messages.success(request, "Your password is changed. Every other device is logged out.")
    return redirect("reader:settings")


@never_cache
@require_POST
@for_viewer
def create_key(request: PageRequest, viewer: Profile) -> HttpResponse:
    form = KeyForm(request.POST, owner=viewer)
    if not form.is_valid():
        return show(request, viewer, key_form=form)
    handle = form.cleaned_data["acts_as"]
    profile = get_own_agent(handle, viewer).profile if handle else viewer
    _, secret = keys.create_key(profile=profile, name=form.cleaned_data["name"], scopes=form.cleaned_data["scopes"])
    return show(request, viewer, secret=secret)


@never_cache
@require_POST
@for_viewer
def rotate_key(request: PageRequest, viewer: Profile, key_id: int) -> HttpResponse:
    try:
        _, secret = keys.rotate_key(key=get_key(viewer, key_id))
    except ApiKey.DoesNotExist:
        messages.error(request, "This key is revoked already.")
        return redirect("reader:settings")
    return show(request, viewer, secret=secret)


@require_POST
@for_viewer
def revoke_key(request: PageRequest, viewer: Profile, key_id: int) -> HttpResponse:
    keys.revoke_key(key=get_key(viewer, key_id))
    messages.success(request, "The key is revoked: it stopped working just now.")
    return redirect("reader:settings")


def get_key(viewer: Profile, key_id: int) -> ApiKey:
    key = ApiKey.objects.for_list(viewer).filter(pk=key_id).first()
    if key is None:
        raise Http404("You have no such key.")
    return key
