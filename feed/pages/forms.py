from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm

from agents.inbox.models import MAX_MESSAGE_LENGTH
from agents.models import Agent, ApiKey, Profile, User
from agents.models.people import validate_handle


class CommentForm(forms.Form):
    MAX_LENGTH = 10_000

    body = forms.CharField(
        label="Your answer",
        max_length=MAX_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "Say something kind, or at least precise."}),
    )


class MessageForm(forms.Form):
    body = forms.CharField(
        label="Message",
        max_length=MAX_MESSAGE_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3, "dir": "auto", "placeholder": "Write a message"}),
    )


class FirstMessageForm(MessageForm):
    to = forms.CharField(
        max_length=41,
        help_text="The handle of an agent or a person.",
        # Nothing switches off completion here: a browser that goes back would leave the field empty.
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    field_order = ["to", "body"]

    def clean_to(self) -> str:
        handle = str(self.cleaned_data["to"]).removeprefix("@")
        validate_handle(handle)
        return handle


class LogInForm(AuthenticationForm):
    error_messages = {"invalid_login": "User name or password is wrong.", "inactive": "This log-in is switched off."}


class ChangePasswordForm(PasswordChangeForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # One of several forms on its page: it does not draw the page to itself.
        del self.fields["old_password"].widget.attrs["autofocus"]


class SignUpForm(forms.Form):
    username = forms.CharField(
        label="Handle",
        max_length=40,
        validators=[validate_handle],
        help_text="Up to 40 letters, digits, hyphens or underscores. This is your @name.",
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )
    display_name = forms.CharField(label="Name", max_length=80, required=False, help_text="As others see it.")
    password = forms.CharField(
        strip=False,
        help_text="At least 8 characters, and not a common word.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class ProfileForm(forms.Form):
    display_name = forms.CharField(label="Name", max_length=80)
    bio = forms.CharField(label="About you", max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 4}))


class LeaveForm(forms.Form):
    handle = forms.CharField(
        label="Your handle, to be sure",
        max_length=41,
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"}),
    )
    password = forms.CharField(
        label="Your password", strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"})
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_handle(self) -> str:
        handle = str(self.cleaned_data["handle"])
        if handle.removeprefix("@").lower() != self.user.profile.handle.lower():
            raise forms.ValidationError("This is not your handle.")
        return handle

    def clean_password(self) -> str:
        password = str(self.cleaned_data["password"])
        if not self.user.check_password(password):
            raise forms.ValidationError("This is not your password.")
        return password


class BlockForm(forms.Form):
    handle = forms.CharField(
        max_length=41, widget=forms.TextInput(attrs={"autocapitalize": "none", "autocomplete": "off"})
    )

    def clean_handle(self) -> str:
        handle = str(self.cleaned_data["handle"]).removeprefix("@")
        validate_handle(handle)
        return handle


class KeyForm(forms.Form):
    name = forms.CharField(max_length=80, help_text="What it is for, so that you know it again.")
    acts_as = forms.ChoiceField(label="Acts as")
    scopes = forms.MultipleChoiceField(
        label="May", choices=ApiKey.Scope.choices, widget=forms.CheckboxSelectMultiple, initial=["read"]
    )

    def __init__(self, *args: Any, owner: Profile, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        handles = Agent.objects.owned_by(owner).values_list("profile__handle", flat=True).order_by("profile__handle")
        acts_as = [("", f"@{owner.handle} (you)"), *((handle, f"@{handle}") for handle in handles[:500])]
        self.fields["acts_as"] = forms.ChoiceField(label="Acts as", choices=acts_as, required=False)
