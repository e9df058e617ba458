"""Conversations: the list, one of them, and writing."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from agents.inbox.models import MAX_MESSAGE_LENGTH, Member, Message
from agents.inbox.services import conversations
from agents.inbox.views.conversations import get_member
from agents.models import Block, Profile
from agents.services import blocks
from agents.services.once import OtherRequest
from agents.views.access import get_profile
from feed.pages import drafts
from feed.pages.forms import FirstMessageForm, MessageForm
from feed.pages.lists import read_rows
from feed.pages.once import SENT_ALREADY, act_once
from feed.pages.timelines import is_part
from feed.pages.viewers import PageRequest, for_viewer, fresh, log_in_first, viewer_of
from performance.budgets import Budget, budgeted

ORDER = ("-last_message_at", "-id")


@budgeted(Budget(statements=3, p95_ms=100, kilobytes=45, index="member_latest"))
@fresh
@require_safe
@for_viewer
def list_conversations(request: PageRequest, viewer: Profile) -> HttpResponse:
    page = read_rows(request, Member.objects.for_list(viewer), order=ORDER)
    template = "feed/partials/conversations.html" if is_part(request) else "feed/messages.html"
    return render(request, template, {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
def write(request: PageRequest) -> HttpResponse:
    """Write to somebody for the first time."""
    if request.method == "POST" and viewer_of(request) is None:
        drafts.keep(request, "message", to=40, body=MAX_MESSAGE_LENGTH)
        return log_in_first(request, then=request.path)
    return write_as_viewer(request)


@for_viewer
def write_as_viewer(request: PageRequest, viewer: Profile) -> HttpResponse:
    if request.method != "POST":
        kept = drafts.take(request, "message") or {"to": request.GET.get("to", "")}
        return render(request, "feed/write.html", {"form": FirstMessageForm(initial=kept)})
    form = FirstMessageForm(request.POST)
    if form.is_valid() and (found := start(request, viewer, form)):
        return redirect(found)
    return render(request, "feed/write.html", {"form": form}, status=422)


def start(request: PageRequest, viewer: Profile, form: FirstMessageForm) -> str | None:
    """Send a first message and return the address of its conversation, or say in the form why not."""
    try:
        recipient = get_profile(form.cleaned_data["to"], viewer)
    except Http404:
        form.add_error("to", "Nobody has this handle.")
        return None
    if recipient.pk == viewer.pk:
        form.add_error("to", "One cannot write to oneself.")
        return None

    def send_first() -> str:
        body = form.cleaned_data["body"]
        conversation, _ = conversations.start_conversation(sender=viewer, recipient=recipient, body=body)
        return reverse("reader:conversation", args=[conversation.pk])

    try:
        return act_once(request, viewer, send_first)
    except (ValidationError, PermissionDenied, OtherRequest) as error:
        form.add_error("body", reason(error))
        return None


@budgeted(Budget(statements=6, p95_ms=100, kilobytes=300, index="message_conversation_newest"))
@fresh
@require_safe
@for_viewer
def conversation(request: PageRequest, viewer: Profile, conversation_id: int) -> HttpResponse:
    return show(request, viewer, get_member(conversation_id, viewer))


def show(request: PageRequest, viewer: Profile, member: Member, form: MessageForm | None = None) -> HttpResponse:
    """Show a conversation, which reads it; a message that was refused stays in its form."""
    page = read_rows(request, Message.objects.for_list(member.conversation_id))
    if page.is_first and page.rows and member.unread_count and request.method == "GET":
        conversations.read_up_to(member=member, message_id=page.rows[0].pk)
    if is_part(request) and form is None:
        return render(request, "feed/partials/messages.html", {"page": page, "member": member})
    other = member.conversation.other_than(viewer.pk)
    name = f"message:{member.conversation_id}"
    context: dict[str, Any] = {
        "page": page,
        "member": member,
        "other": other,
        "is_gone": other.kind == Profile.Kind.GONE,
        "is_blocked": Block.objects.filter(blocker=viewer, blocked=other).exists(),
        "form": form or MessageForm(initial=drafts.take(request, name)),
    }
    return render(request, "feed/conversation.html", context, status=422 if form else 200)


@require_POST
def send(request: PageRequest, conversation_id: int) -> HttpResponse:
    if viewer_of(request) is None:
        drafts.keep(request, f"message:{conversation_id}", body=MAX_MESSAGE_LENGTH)
        return log_in_first(request, then=reverse("reader:conversation", args=[conversation_id]))
    return send_as_viewer(request, conversation_id)


@for_viewer
def send_as_viewer(request: PageRequest, viewer: Profile, conversation_id: int) -> HttpResponse:
    member = get_member(conversation_id, viewer)
    form = MessageForm(request.POST)
    if not form.is_valid():
        return show(request, viewer, member, form)

    def send_one() -> str:
        conversations.send_message(conversation=member.conversation, sender=viewer, body=form.cleaned_data["body"])
        return reverse("reader:conversation", args=[conversation_id]) + "#write"

    try:
        return HttpResponseRedirect(act_once(request, viewer, send_one))
    except (ValidationError, PermissionDenied, OtherRequest) as error:
        form.add_error("body", reason(error))
        return show(request, viewer, member, form)


@require_POST
@for_viewer
def change(request: PageRequest, viewer: Profile, conversation_id: int, what: str) -> HttpResponse:
    """Accept, decline, mute or block: the button says which state it asks for, so that twice is once."""
    member = get_member(conversation_id, viewer)
    other = member.conversation.other_than(viewer.pk)
    match what:
        case "accept":
            conversations.accept(member=member)
        case "decline":
            conversations.decline(member=member)
            messages.success(request, f"The request of @{other.handle} is gone.")
            return redirect("reader:messages")
        case "mute" | "unmute":
            conversations.mute(member=member, is_muted=what == "mute")
        case "block":
            blocks.block(blocker=viewer, blocked=other)
        case "unblock":
            blocks.unblock(blocker=viewer, blocked=other)
        case _:
            raise Http404
    return redirect("reader:conversation", conversation_id)


def reason(error: ValidationError | PermissionDenied | OtherRequest) -> str:
    if isinstance(error, OtherRequest):
        return SENT_ALREADY
    return " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
