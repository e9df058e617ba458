"""What a person fills in on the pages of the calendar."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from agents.api.parsers import unprintable
from feed.pages.studio.forms import times_of
from posts.models import Post
from posts.publishing.models import SocialAccount
from posts.publishing.networks import NETWORKS, network_named
from posts.publishing.serializers import ConnectRequest
from posts.publishing.services.policies import WEEKDAYS
from posts.publishing.services.publications import check_schedule
from posts.publishing.services.requests import Wanted
from posts.publishing.services.slots import moment_of

MAX_TEXT = 100_000
# Below what Django takes of a form, so that this form says so itself.
MAX_FILE = 900_000


def day_input() -> forms.DateInput:
    return forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


def time_input() -> forms.TimeInput:
    return forms.TimeInput(format="%H:%M", attrs={"type": "time"})


def token_field() -> forms.CharField:
    """Make a field that makes sending a form twice one effect."""
    return forms.CharField(max_length=40, widget=forms.HiddenInput, initial=lambda: uuid4().hex)


class SentForm(forms.Form):
    """A form whose shown values can differ from what was sent."""

    def change(self, **values: str) -> None:
        sent = self.data.copy() if isinstance(self.data, QueryDict) else QueryDict(mutable=True)
        for name, value in values.items():
            sent[name] = value
        self.data = sent


class MoveForm(SentForm):
    day = forms.DateField(widget=day_input())
    time = forms.TimeField(required=False, widget=time_input())
    expected = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)


class ProofForm(forms.Form):
    url = forms.URLField(required=False, max_length=500, assume_scheme="https")


class ScheduleForm(SentForm):
    """A text for accounts, and when it goes out: in the person's own time zone."""

    WHEN = [("at", "At a time"), ("slot", "At the next free slot of each account"), ("now", "Now")]

    text = forms.CharField(
        max_length=MAX_TEXT,
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "placeholder": "What is to go out?"}),
    )
    accounts = forms.TypedMultipleChoiceField(coerce=int, widget=forms.CheckboxSelectMultiple, label="Goes to")
    split = forms.BooleanField(required=False, label="Make a thread of what is too long")
    when = forms.ChoiceField(choices=WHEN, initial="at", widget=forms.RadioSelect)
    day = forms.DateField(required=False, widget=day_input())
    time = forms.TimeField(required=False, widget=time_input())
    post = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)
    token = token_field()

    def __init__(
        self, *args: Any, accounts: Iterable[SocialAccount], zone: ZoneInfo, post: Post | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.zone, self.of = zone, post
        self.to = {account.pk: account for account in accounts}
        self.networks = sorted({account.network for account in self.to.values()})
        for name in self.networks:
            label = network_named(name).label
            self.fields[f"text_{name}"] = forms.CharField(
                label=f"{label} says", max_length=MAX_TEXT, required=False, widget=forms.Textarea(attrs={"rows": 3})
            )
            self.fields[f"imageless_{name}"] = forms.BooleanField(label=f"No image on {label}", required=False)
        choices = [(pk, f"{network_named(account.network).label} {account.handle}") for pk, account in self.to.items()]
        self.fields["accounts"].choices = choices  # type: ignore[attr-defined]

    @property
    def chosen(self) -> list[SocialAccount]:
        return [self.to[pk] for pk in getattr(self, "cleaned_data", {}).get("accounts", ())]

    @property
    def variants(self) -> list[tuple[forms.BoundField, forms.BoundField | None]]:
        """What can differ from network to network: the text where there are several, and whether the image goes."""
        has_image = bool(self.of and self.of.image)
        if len(self.networks) < 2 and not has_image:
            return []
        return [(self[f"text_{name}"], self[f"imageless_{name}"] if has_image else None) for name in self.networks]

    @property
    def has_variants(self) -> bool:
        wanted = self.wanted
        return bool(wanted.variants or wanted.imageless or any(name.startswith("text_") for name in self.errors))

    @property
    def wanted(self) -> Wanted:
        """What a form asks for, as far as it is valid."""
        data = getattr(self, "cleaned_data", {})
        return Wanted(
            accounts=self.chosen,
            body=data.get("text", ""),
            post=self.of,
            variants={name: text for name in self.networks if (text := data.get(f"text_{name}", ""))},
            imageless=[name for name in self.networks if data.get(f"imageless_{name}")],
            split=data.get("split", False),
            scheduled_at=data.get("scheduled_at"),
            next_slot=data.get("when") == "slot",
        )

    def clean(self) -> dict[str, Any]:
        """Turn the wall-clock time into a moment."""
        data = self.cleaned_data
        for name in ("text", *(f"text_{network}" for network in self.networks)):
            # Browsers send two characters for a line break; every network counts one.
            data[name] = str(data.get(name, "")).replace("\r\n", "\n")
        data["scheduled_at"] = None
        if data.get("when") != "at" or self.errors.keys() & {"day", "time"}:
            return data
        missing = [name for name in ("day", "time") if data.get(name) is None]
        for name in missing:
            self.add_error(name, f"Give a {name}.")
        if not missing:
            data["scheduled_at"] = self.moment(data)
        return data

    def moment(self, data: dict[str, Any]) -> datetime | None:
        moment = moment_of(datetime.combine(data["day"], data["time"].replace(tzinfo=None)), self.zone.key)
        try:
            check_schedule(moment)
        except ValidationError as error:
            self.add_error("day", error)
            return None
        return moment


class ImportForm(SentForm):
    """Publications as CSV or JSON: a file, or its text, which stays in the form and can be mended there."""

    file = forms.FileField(required=False, label="A file", help_text="CSV or JSON, up to 900 kB.")
    text = forms.CharField(
        required=False,
        strip=False,
        max_length=MAX_FILE,
        label="Or its text",
        widget=forms.Textarea(attrs={"rows": 10, "spellcheck": "false", "class": "code"}),
    )
    token = token_field()

    def clean(self) -> dict[str, Any]:
        """Put the file's text where it can be seen and mended."""
        data = self.cleaned_data
        if file := data.get("file"):
            data["text"] = self.read(file)
        if not self.errors and not data.get("text", "").strip():
            self.add_error("file", "Choose a file, or paste its text.")
        return data

    def read(self, file: Any) -> str:
        if file.size > MAX_FILE:
            self.add_error("file", "This file is larger than 900 kB: import it in parts.")
            return ""
        try:
            text = file.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            self.add_error("file", "This file is not text in UTF-8.")
            return ""
        if "\x00" in text:
            self.add_error("file", "This file is not text.")
            return ""
        return str(text)

    @staticmethod
    def rows_of(text: str) -> list[dict[str, Any]] | None:
        """Return the rows of a JSON text, or None when it is none. Raises `ValidationError` for another shape."""
        if not text.lstrip().startswith(("[", "{")):
            return None
        try:
            rows = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValidationError(f"This is not JSON: {error}.") from error
        if next(unprintable(rows), None):
            raise ValidationError("This JSON holds a character that no text has.")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ValidationError("JSON has to be a list of objects.")
        return rows


class SlotsForm(forms.Form):
    """The hours of the week at which an account likes to publish, in the account's own time zone."""

    time_zone = forms.CharField(max_length=64, widget=forms.TextInput(attrs={"spellcheck": "false"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for weekday in WEEKDAYS:
            self.fields[weekday] = forms.CharField(
                required=False, max_length=300, label=weekday.capitalize(), help_text="Such as 09:00, 17:30"
            )

    def clean(self) -> dict[str, Any]:
        """Collect the slots in the words of the service, such as "mon 09:30"."""
        slots = []
        for weekday in WEEKDAYS:
            try:
                times = times_of(self.cleaned_data.get(weekday, ""))
            except ValidationError as error:
                self.add_error(weekday, error)
            else:
                slots += [f"{weekday} {moment:%H:%M}" for moment in times]
        return {"time_zone": self.cleaned_data.get("time_zone"), "slots": slots}


class ConnectForm(forms.Form):
    """What connecting an account of some network takes; which fields it needs depends on the network."""

    network = forms.ChoiceField(choices=[(name, network_named(name).label) for name in sorted(NETWORKS)])
    base_url = forms.URLField(
        label="Address",
        required=False,
        max_length=400,
        assume_scheme="https",
        help_text="Of your Mastodon instance, your Bluesky server if it is not bsky.social, or your webhook.",
    )
    identifier = forms.CharField(label="Handle", required=False, max_length=300, help_text="Bluesky only.")
    password = forms.CharField(
        label="App password",
        required=False,
        strip=False,
        max_length=300,
        help_text="Bluesky only, made in its settings; it is used once and not kept.",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    name = forms.CharField(label="Name", required=False, max_length=100, help_text="Webhooks only: how you call it.")

    def clean(self) -> dict[str, Any]:
        """Hold what was given to the rules of the API."""
        given = {name: value for name, value in self.cleaned_data.items() if value}
        if self.errors:
            return given
        request = ConnectRequest(data=given)
        if not request.is_valid():
            for name, errors in request.errors.items():
                self.add_error(name if name in self.fields else None, [str(error) for error in errors])
        return dict(request.validated_data)
