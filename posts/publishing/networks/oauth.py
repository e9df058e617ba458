"""OAuth 2 with PKCE, the same for every network that has it. Source: RFC 6749, 7636 and 9700."""

from abc import abstractmethod
from base64 import b64encode
from collections.abc import Iterable
from typing import Any

from authlib.common.security import generate_token
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from django.conf import settings

from posts.publishing.models import SocialAccount
from posts.publishing.networks import http
from posts.publishing.networks.base import Credentials, Identity, Network, read_json
from posts.publishing.networks.errors import NeedsReconnect, Refused
from posts.publishing.tokens import Secret


class OAuthNetwork(Network):
    """A network that asks the account's owner for consent on a page of its own."""

    scopes: tuple[str, ...]
    scope_separator = " "
    # The form is what most networks read; some want HTTP Basic (both are in RFC 6749, section 2.3.1).
    secret_in_header = False

    @abstractmethod
    def identities(self, credentials: Credentials, base_url: str) -> Iterable[tuple[Identity, Credentials]]:
        """Return whom the credentials speak for: one account, or each page of a person."""

    def asked_scopes(self) -> tuple[str, ...]:
        """Return what the account's owner is asked to allow."""
        return self.scopes

    def authorize_url(self, base_url: str) -> str:
        return str(settings.NETWORK_AUTHORIZE_URLS[self.name])

    def token_url(self, base_url: str) -> str:
        return str(settings.NETWORK_TOKEN_URLS[self.name])

    def consent_url(self, *, base_url: str, client_id: str, redirect_uri: str, state: str, verifier: str) -> str:
        """Return the address of the consent page."""
        url: str = prepare_grant_uri(
            self.authorize_url(base_url),
            client_id,
            "code",
            redirect_uri=redirect_uri,
            scope=self.scope_separator.join(self.asked_scopes()),
            state=state,
            code_challenge=create_s256_code_challenge(verifier),  # type: ignore[no-untyped-call]
            code_challenge_method="S256",
        )
        return url

    def exchange(
        self, *, base_url: str, client: tuple[str, str], code: str, redirect_uri: str, verifier: str
    ) -> Credentials:
        """Exchange the code that the consent page handed out. Raises `Refused` for one that is forged or stale."""
        form = {
            "grant_type": "authorization_code",
            "code": Secret(code),
            "redirect_uri": redirect_uri,
            "code_verifier": Secret(verifier),
        }
        return self._token(form, base_url, client)

    def refresh(self, account: SocialAccount) -> Credentials:
        form = {"grant_type": "refresh_token", "refresh_token": account.refresh_token.reveal()}
        try:
            return self._token(form, account.base_url, self.app_credentials())
        except Refused as refusal:
            raise NeedsReconnect(str(refusal)) from refusal

    def _token(self, form: dict[str, str], base_url: str, client: tuple[str, str]) -> Credentials:
        client_id, client_secret = client
        form = form | {"client_id": client_id}
        options: dict[str, Any] = {}
        if client_secret and self.secret_in_header:
            basic = Secret(b64encode(f"{client_id}:{client_secret}".encode()).decode())
            options["headers"] = {"Authorization": Secret(f"Basic {basic}")}
        elif client_secret:
            form["client_secret"] = client_secret
        return credentials_from(read_json(http.call("POST", self.token_url(base_url), data=form, **options)))


def new_verifier() -> str:
    """Return a PKCE code verifier of 288 random bits."""
    return str(generate_token(48))


def credentials_from(answer: dict[str, Any]) -> Credentials:
    """Read a token answer (RFC 6749, section 5.1)."""
    expires_in = answer.get("expires_in")
    return Credentials(
        access_token=str(answer["access_token"]),
        refresh_token=str(answer.get("refresh_token") or ""),
        expires_in=int(expires_in) if expires_in else None,
        scopes=tuple(str(answer.get("scope") or "").replace(",", " ").split()),
    )
