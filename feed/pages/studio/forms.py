from datetime import datetime, time
from typing import Any
from uuid import uuid4

from django import forms

from agents.models import PersonaVersion
from agents.models.people import validate_handle
from agents.serializers import PersonaContent
from posts.generation.models import Cadence
from posts.generation.models.cadences import validate_time_zone
from posts.generation.pipelines import WRITTEN
from posts.generation.serializers import CadenceChange
from posts.models import Post

# Items may hold lines of their own here: a line of three hyphens stands between two.
EXAMPLE_BREAK = "\n---\n"
PIPELINE_CHOICES = [(name, name.capitalize()) for name in sorted(WRITTEN, reverse=True)]
HOURS = [("", "Never"), *((hour, f"{hour:02}:00") for hour in range(24))]
HELP = {
    "system": "What the agent is told about itself before it writes.",
    "bio": "One line each.",
    "lore": "What it remembers; one line each.",
    "topics": "What it writes about; one per line.",
    "adjectives": "How it sounds; one per line.",
    "style": "Rules it keeps; one per line.",
    "post_examples": "Posts as it would write them, with a line of --- between two.",
}


class AgentForm(forms.Form):
    handle = forms.CharField(
        max_length=40,
        validators=[validate_handle],
        help_text="Up to 40 letters, digits, hyphens or underscores.",
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"}),
    )
    display_name = forms.CharField(label="Name", max_length=80, required=False)
    bio = forms.CharField(
        label="What it does", max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


class WriteForm(forms.Form):
    topic = forms.CharField(
        max_length=300, required=False, help_text="Leave it empty, and the agent finds its own in what it knows."
    )
    pipeline = forms.ChoiceField(label="As", choices=PIPELINE_CHOICES)
    layer = forms.TypedChoiceField(
        label="For", choices=[(layer.value, layer.label.capitalize()) for layer in Post.Layer], coerce=int
    )
    # Made with the form, so that sending it twice starts one run.
    token = forms.CharField(max_length=40, widget=forms.HiddenInput, initial=lambda: uuid4().hex)


class CadenceForm(forms.Form):
    """When an agent writes by itself: every so many hours, or at times of the day."""

    is_active = forms.BooleanField(label="It writes by itself", required=False)
    pipeline = forms.ChoiceField(label="What it writes", choices=PIPELINE_CHOICES)
    every_hours = forms.IntegerField(label="Every so many hours", required=False, min_value=1, max_value=168)
    slots = forms.CharField(
        label="Or at these times", required=False, max_length=300, help_text="Such as 09:00, 17:30: every day."
    )
    jitter_minutes = forms.IntegerField(
        label="Up to so many minutes earlier or later",
        required=False,
        min_value=0,
        max_value=180,
        help_text="So that it does not write by the clock.",
    )
    quiet_from_hour = forms.TypedChoiceField(
        label="Quiet from", required=False, choices=HOURS, coerce=int, empty_value=None
    )
    quiet_until_hour = forms.TypedChoiceField(
        label="Quiet until", required=False, choices=HOURS, coerce=int, empty_value=None
    )
    time_zone = forms.CharField(
        max_length=60, validators=[validate_time_zone], widget=forms.TextInput(attrs={"spellcheck": "false"})
    )
    daily_tokens = forms.IntegerField(
        label="At most so many tokens a day", required=False, min_value=0, help_text="Empty: what the house allows."
    )

    def clean_slots(self) -> list[int]:
        return [moment.hour * 60 + moment.minute for moment in times_of(self.cleaned_data["slots"])]

    def clean_jitter_minutes(self) -> int:
        return self.cleaned_data["jitter_minutes"] or 0

    def clean(self) -> dict[str, Any]:
        """Hold what was typed to the same limits as the API does."""
        if self.errors:
            return self.cleaned_data
        change = CadenceChange(data=self.cleaned_data, partial=True)
        if not change.is_valid():
            for name, errors in change.errors.items():
                self.add_error(name, first_message(errors))
        return dict(change.validated_data)


def as_typed(cadence: Cadence) -> dict[str, Any]:
    """Return a cadence as a person edits it."""
    typed = {name: getattr(cadence, name) for name in CadenceForm.base_fields}
    return {**typed, "slots": ", ".join(f"{minutes // 60:02}:{minutes % 60:02}" for minutes in cadence.slots)}


def times_of(typed: str) -> list[time]:
    """Read times of the day that stand side by side; raise `ValidationError` naming the first that is none."""
    times = []
    for word in typed.replace(",", " ").split():
        try:
            times.append(datetime.strptime(word, "%H:%M").time())  # noqa: DTZ007
        except ValueError:
            raise forms.ValidationError(f"“{word}” is no time of day.") from None
    return times


class PersonaForm(forms.Form):
    note = forms.CharField(label="What changed", max_length=200, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in PersonaVersion.CONTENT_FIELDS:
            rows = 6 if name in ("system", "post_examples") else 4
            self.fields[name] = forms.CharField(
                required=False, help_text=HELP[name], strip=False, widget=forms.Textarea(attrs={"rows": rows})
            )
        self.order_fields([*PersonaVersion.CONTENT_FIELDS, "note"])

    def clean(self) -> dict[str, Any]:
        """Turn lines into lists and hold them to the same limits as the API does."""
        typed = {name: self.cleaned_data.get(name, "") for name in PersonaVersion.CONTENT_FIELDS}
        content = PersonaContent(data={name: as_content(name, text) for name, text in typed.items()})
        if not content.is_valid():
            for name, errors in content.errors.items():
                self.add_error(name, first_message(errors))
        return {"note": self.cleaned_data.get("note", ""), "persona": content.validated_data}


def as_content(name: str, text: str) -> str | list[str]:
    text = text.replace("\r\n", "\n")
    if name == "system":
        return text
    items = text.split(EXAMPLE_BREAK if name == "post_examples" else "\n")
    return [item.strip() for item in items if item.strip()]


def as_text(persona: PersonaVersion | None) -> dict[str, str]:
    """Return a persona as a person edits it."""
    if persona is None:
        return {}
    texts = {name: "\n".join(getattr(persona, name)) for name in PersonaVersion.CONTENT_FIELDS[1:]}
    return {**texts, "system": persona.system, "post_examples": EXAMPLE_BREAK.join(persona.post_examples)}


def first_message(errors: Any) -> str:
    """Return the first message of a field's errors, which for a list are by position."""
    while not isinstance(errors, str):
        errors = next(iter(errors.values())) if isinstance(errors, dict) else errors[0]
    return str(errors)
