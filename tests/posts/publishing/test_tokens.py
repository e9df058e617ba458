import pytest
from cryptography.fernet import Fernet, InvalidToken
from django.core import serializers
from django.core.management import call_command
from django.db import connection
from pytest_django.fixtures import Settings

from posts.publishing.models import SocialAccount
from posts.publishing.tokens import Token
from tests.publishing import make_account

pytestmark = pytest.mark.django_db

CANARY = "canary-7f3a-secret-token"


def test_the_database_never_holds_a_token() -> None:
    make_account(access_token=Token.seal(CANARY), refresh_token=Token.seal(CANARY))
    with connection.cursor() as cursor:
        cursor.execute("SELECT publishing_socialaccount::text FROM publishing_socialaccount")
        row = cursor.fetchone()[0]
    assert CANARY not in row
    assert SocialAccount.objects.get().access_token.reveal() == CANARY


def test_a_token_prints_as_dots_wherever_it_is_printed() -> None:
    account = make_account(access_token=Token.seal(CANARY))
    printed = (
        f"{account.access_token} {account.access_token!r} {vars(account)} {serializers.serialize('json', [account])}"
    )
    assert CANARY not in printed
    assert str(account.access_token) == "••••••••"


def test_a_plain_string_is_refused_before_it_can_be_stored() -> None:
    with pytest.raises(TypeError, match="Seal"):
        make_account(access_token=CANARY)


def test_rotation_seals_anew_and_the_old_key_can_go(settings: Settings) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.TOKEN_KEYS = [old]
    make_account(access_token=Token.seal(CANARY), refresh_token=Token.seal("refresh"))
    settings.TOKEN_KEYS = [new, old]
    call_command("rotate_token_keys", verbosity=0)
    settings.TOKEN_KEYS = [new]
    account = SocialAccount.objects.get()
    assert (account.access_token.reveal(), account.refresh_token.reveal()) == (CANARY, "refresh")
    settings.TOKEN_KEYS = [old]
    with pytest.raises(InvalidToken):
        account.access_token.reveal()


def test_without_keys_of_their_own_tokens_outlive_a_change_of_the_secret(settings: Settings) -> None:
    settings.TOKEN_KEYS = []
    sealed = Token.seal(CANARY)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another"
    assert sealed.reveal() == CANARY
    rotated = sealed.rotated()
    settings.SECRET_KEY_FALLBACKS = []
    assert rotated.reveal() == CANARY
    with pytest.raises(InvalidToken):
        sealed.reveal()
