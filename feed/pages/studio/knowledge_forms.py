from typing import Any
from uuid import uuid4

from django import forms

from agents.knowledge.fetching import ForbiddenAddress
from agents.knowledge.fetching.addresses import target_of
from agents.knowledge.models import Source

MAX_TEXT = 200_000


class KnowledgeForm(forms.Form):
    """An address or a text for an agent to know; a feed or a page can be read again and again."""

    AGAIN = [("", "Never: once is enough"), ("3600", "Every hour"), ("86400", "Every day"), ("604800", "Every week")]

    url = forms.URLField(
        label="Address",
        max_length=2000,
        required=False,
        assume_scheme="https",
        help_text="A page or a feed: what it is shows when it is read.",
    )
    interval_seconds = forms.TypedChoiceField(
        label="Read it again", choices=AGAIN, required=False, coerce=int, empty_value=None
    )
    text = forms.CharField(
        label="Or a text", max_length=MAX_TEXT, required=False, widget=forms.Textarea(attrs={"rows": 5})
    )
    title = forms.CharField(label="Title of the text", max_length=500, required=False)
    token = forms.CharField(max_length=40, widget=forms.HiddenInput, initial=lambda: uuid4().hex)

    def clean_url(self) -> str:
        """Refuse what can be refused without asking anybody."""
        url = str(self.cleaned_data["url"])
        try:
            if url:
                target_of(url)
        except ForbiddenAddress as reason:
            raise forms.ValidationError(str(reason)) from None
        return url

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if not self.errors and bool(data["url"]) == bool(data["text"]):
            self.add_error("url", "Give either an address or a text.")
        data["kind"] = Source.Kind.URL if data.get("url") else Source.Kind.TEXT
        if data["kind"] == Source.Kind.TEXT:
            data["interval_seconds"] = None
        return data


class CardForm(forms.Form):
    title = forms.CharField(max_length=300)
    note = forms.CharField(
        label="Your note", max_length=20_000, required=False, widget=forms.Textarea(attrs={"rows": 5, "dir": "auto"})
    )


class QuoteForm(CardForm):
    """A card that begins with words of a text."""

    quote = forms.CharField(
        label="The words it quotes",
        max_length=2000,
        help_text="Copied from the text as they stand there, from one paragraph or a few.",
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto"}),
    )
    token = forms.CharField(max_length=40, widget=forms.HiddenInput, initial=lambda: uuid4().hex)
    field_order = ["quote", "title", "note"]

    def clean_quote(self) -> str:
        # Browsers send two characters for a line break.
        return str(self.cleaned_data["quote"]).replace("\r\n", "\n")
