"""The accounts that a person publishes through, and the slots of each."""

from collections import defaultdict

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from agents.models import Profile
from feed.pages.studio.calendar.forms import SlotsForm
from feed.pages.viewers import PageRequest, for_viewer
from performance.budgets import Budget, budgeted
from posts.publishing.models import PostingSlot, SocialAccount
from posts.publishing.networks import network_named
from posts.publishing.serializers import MAX_ACCOUNTS
from posts.publishing.services.policies import WEEKDAYS, change_account
from posts.publishing.views.accounts import get_own_account


@budgeted(Budget(statements=3, p95_ms=60, kilobytes=60, index="social_account_owner_newest"))
@never_cache
@require_safe
@for_viewer
def accounts(request: PageRequest, viewer: Profile) -> HttpResponse:
    return show(request, viewer)


def show(request: PageRequest, viewer: Profile, refused: tuple[int, SlotsForm] | None = None) -> HttpResponse:
    """Show every account with the form of its slots; a refused form keeps what was typed."""
    found = list(SocialAccount.objects.for_list(viewer)[:MAX_ACCOUNTS])
    slots = slots_of(found)
    forms = {
        account.pk: SlotsForm(prefix=str(account.pk), initial={"time_zone": account.time_zone, **slots[account.pk]})
        for account in found
    }
    if refused:
        forms[refused[0]] = refused[1]
    rows = [(account, network_named(account.network).label, forms[account.pk]) for account in found]
    return render(request, "feed/studio/accounts.html", {"accounts": rows}, status=422 if refused else 200)


def slots_of(accounts: list[SocialAccount]) -> dict[int, dict[str, str]]:
    """Return the slots of accounts as a person edits them: a line of times per weekday."""
    times: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for slot in PostingSlot.objects.filter(account__in=accounts).order_by("account", "weekday", "local_time"):
        times[slot.account_id][WEEKDAYS[slot.weekday]].append(f"{slot.local_time:%H:%M}")
    return {account.pk: {day: ", ".join(found) for day, found in times[account.pk].items()} for account in accounts}


@require_POST
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
    return show(request, viewer, (account_id, form))
