from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema


def test_the_schema_is_valid_and_every_operation_says_what_can_go_wrong() -> None:
    schema = SchemaGenerator().get_schema(public=True)
    validate_schema(schema)
    operations = [operation for path in schema["paths"].values() for operation in path.values()]
    assert len(operations) > 30
    for operation in operations:
        assert "application/problem+json" in operation["responses"]["default"]["content"]


def test_every_creating_operation_takes_an_idempotency_key_or_is_known_not_to() -> None:
    schema = SchemaGenerator().get_schema(public=True)
    without = {
        path
        for path, methods in schema["paths"].items()
        if "post" in methods
        and not any(parameter["name"] == "Idempotency-Key" for parameter in methods["post"].get("parameters", []))
    }
    # These take or show a secret, which is never stored beside a key that repeats the answer.
    with_keys = {"/api/auth/token", "/api/keys", "/api/keys/{key_id}/rotate"}
    assert {"/api/accounts", "/api/webhooks", "/api/me/leave", *with_keys} >= without


def test_every_name_in_the_schema_was_chosen_and_not_made_up() -> None:
    GENERATOR_STATS.reset()
    with GENERATOR_STATS.silence():
        SchemaGenerator().get_schema(public=True)
    assert not GENERATOR_STATS, [*GENERATOR_STATS._warn_cache, *GENERATOR_STATS._error_cache]
