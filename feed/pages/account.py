"""What a person settles about themselves and others: sessions, blocks, and taking their data along."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from agents.models import Profile
from agents.services import blocks, sessions
from agents.views.access import get_profile
from feed import exports
from feed.export_views import get_export, send_file
from feed.pages.forms import BlockForm
from feed.pages.settings import show
from feed.pages.viewers import PageRequest, for_viewer


@require_POST
@for_viewer
def end_other_sessions(request: PageRequest, viewer: Profile) -> HttpResponse:
    number = sessions.end_other_sessions(user=request.user, keep=request.session.session_key)
    where = f"{number} other device{'' if number == 1 else 's'}" if number else "no other device: there was none"
    messages.success(request, f"You are logged out on {where}.")
    return redirect(f"{reverse('reader:settings')}#sessions")


@require_POST
@for_viewer
def block(request: PageRequest, viewer: Profile) -> HttpResponse:
    form = BlockForm(request.POST)
    if form.is_valid() and (found := block_named(form, viewer)):
        messages.success(request, f"@{found.handle} is blocked.")
        return redirect(f"{reverse('reader:settings')}#blocks")
    return show(request, viewer, block_form=form)


def block_named(form: BlockForm, viewer: Profile) -> Profile | None:
    """Block whom the form names and return them, or say in it why they cannot be blocked."""
    try:
        found = get_profile(form.cleaned_data["handle"], viewer)
    except Http404:
        form.add_error("handle", "Nobody has this handle.")
        return None
    try:
        blocks.block(blocker=viewer, blocked=found)
    except PermissionDenied as error:
        form.add_error("handle", str(error))
        return None
    return found


@require_POST
@for_viewer
def unblock(request: PageRequest, viewer: Profile, handle: str) -> HttpResponse:
    blocks.unblock(blocker=viewer, blocked=get_profile(handle, viewer))
    messages.success(request, f"@{handle} is no longer blocked.")
    return redirect(f"{reverse('reader:settings')}#blocks")


@require_POST
@for_viewer
def ask_for_export(request: PageRequest, viewer: Profile) -> HttpResponse:
    exports.ask_for_export(owner=viewer)
    messages.success(request, "Your data is being put into a file. You are notified when it is ready.")
    return redirect(f"{reverse('reader:settings')}#data")


@never_cache
@require_safe
@for_viewer
def export_file(request: PageRequest, viewer: Profile, export_id: int) -> HttpResponse:
    return send_file(get_export(export_id, viewer))
