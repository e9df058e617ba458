"""The accounts that a person publishes through, and the slots of each."""

from collections import defaultdict
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from agents.models import Profile
from feed.pages.drafts import keeps_typed, typed
from feed.pages.studio.calendar.forms import ConnectForm, SlotsForm
from feed.pages.viewers import PageRequest, for_viewer
from performance.budgets import Budget, budgeted
from posts.publishing.models import PostingSlot, SocialAccount
from posts.publishing.networks import network_named
from posts.publishing.networks.oauth import OAuthNetwork
from posts.publishing.serializers import MAX_ACCOUNTS
from posts.publishing.services import connecting
from posts.publishing.services.policies import WEEKDAYS, change_account
from posts.publishing.views.accounts import get_own_account, session_binding


@budgeted(Budget(statements=4, p95_ms=60, kilobytes=60, index="social_account_owner_newest"))
@never_cache
@require_safe
@for_viewer
def accounts(request: PageRequest, viewer: Profile) -> HttpResponse:
    return show(request, viewer, kept=typed(request))


def show(
    request: PageRequest,
    viewer: Profile,
    *,
    refused: tuple[int, SlotsForm] | None = None,
    refusal: ConnectForm | None = None,
    kept: Mapping[str, Any] = MappingProxyType({}),
    **more: str,
) -> HttpResponse:
    """Show every account with the form of its slots; what was typed stays, refused or `kept`."""
    found = list(SocialAccount.objects.for_list(viewer)[:MAX_ACCOUNTS])
    slots = slots_of(found)
    forms = {}
    for account in found:
        initial = {"time_zone": account.time_zone, **slots[account.pk]}
        initial |= {name: kept[sent] for name in ("time_zone", *WEEKDAYS) if (sent := f"{account.pk}-{name}") in kept}
        forms[account.pk] = SlotsForm(prefix=str(account.pk), initial=initial)
    if refused:
        forms[refused[0]] = refused[1]
    rows = [(account, network_named(account.network).label, forms[account.pk]) for account in found]
    context = {"accounts": rows, "form": refusal or ConnectForm(initial=dict(kept)), **more}
    is_refused = refused or (refusal and refusal.errors)
    return render(request, "feed/studio/accounts.html", context, status=422 if is_refused else 200)


def slots_of(accounts: list[SocialAccount]) -> dict[int, dict[str, str]]:
    """Return the slots of accounts as a person edits them: a line of times per weekday."""
    times: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for slot in PostingSlot.objects.filter(account__in=accounts).order_by("account", "weekday", "local_time"):
        times[slot.account_id][WEEKDAYS[slot.weekday]].append(f"{slot.local_time:%H:%M}")
    return {account.pk: {day: ", ".join(found) for day, found in times[account.pk].items()} for account in accounts}


@require_POST
@keeps_typed("reader:accounts", of_one=False)
@for_viewer
def change_slots(request: PageRequest, viewer: Profile, account_id: int) -> HttpResponse:
    account = get_own_account(account_id, viewer)
    form = SlotsForm(request.POST, prefix=str(account_id))
    if form.is_valid():
        try:
            change_account(account=account, **form.cleaned_data)
        except ValidationError as error:
            form.add_error("time_zone", ValidationError(error.messages))
        else:
            messages.success(request, f"The slots of {account.handle or account.network} are as you want them.")
            return redirect("reader:accounts")
    return show(request, viewer, refused=(account_id, form))


@sensitive_post_parameters("password")
@never_cache
@require_POST
@keeps_typed("reader:accounts", of_one=False)
@for_viewer
def connect(request: PageRequest, viewer: Profile) -> HttpResponse:
    """Connect an account, or show the way to the consent page of its network."""
    form = ConnectForm(request.POST)
    if form.is_valid():
        try:
            return connected(request, viewer, form.cleaned_data)
        except connecting.NotConnected as error:
            form.add_error(None, str(error))
        except ValidationError as error:
            form.add_error("base_url", ValidationError(error.messages))
    return show(request, viewer, refusal=form)


def connected(request: PageRequest, viewer: Profile, data: dict[str, Any]) -> HttpResponse:
    network = network_named(data["network"])
    base_url = connecting.checked_address(data["base_url"]) if data["base_url"] else ""
    if isinstance(network, OAuthNetwork):
        consent = connecting.start_consent(
            owner=viewer, network=network, base_url=base_url, binding=session_binding(request)
        )
        # A link and not a redirect: forms of this site lead to this site only, as its policy says.
        return show(request, viewer, consent=consent, consent_to=network.label)
    if data["network"] == "bluesky":
        account = connecting.connect_bluesky(
            owner=viewer, base_url=base_url, identifier=data["identifier"], password=data["password"]
        )
        messages.success(request, f"{account.handle} is connected.")
        return redirect("reader:accounts")
    _, secret = connecting.connect_webhook(
        owner=viewer, base_url=base_url, name=data["name"], takes_idempotency_key=False
    )
    return show(request, viewer, secret=secret)


@require_POST
@for_viewer
def disconnect(request: PageRequest, viewer: Profile, account_id: int) -> HttpResponse:
    account = get_own_account(account_id, viewer)
    connecting.disconnect(account=account, actor=viewer)
    messages.success(request, f"{account.handle or account.network} is forgotten, and what waited for it called off.")
    return redirect("reader:accounts")
