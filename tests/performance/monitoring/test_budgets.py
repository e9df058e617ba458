from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from performance import documents
from performance.budgets import Budget, endpoints, render
from performance.documents import PERFORMANCE, section_of, write_section
from performance.indexes import catalogue


@pytest.mark.parametrize("change", [{"statements": -1}, {"p95_ms": 0}, {"kilobytes": 0}])
def test_a_budget_must_be_possible(change: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="A budget needs"):
        Budget(**{"statements": 1, "p95_ms": 1, "kilobytes": 1, **change})  # type: ignore[arg-type]


def test_budgets_are_found_by_route_and_method() -> None:
    found = {endpoint.name: endpoint for endpoint in endpoints()}
    assert found["GET performance:live"].path == "/health/"
    assert found["GET feed:feed"].budget.index == "post_author_timeline"
    assert found["POST posts:posts"].budget.statements > 0


def test_the_document_shows_the_budgets_of_the_code() -> None:
    assert section_of(PERFORMANCE, "budgets") == render(), "run manage.py write_budgets"


def test_the_document_shows_the_indexes_of_the_catalogue() -> None:
    assert section_of(PERFORMANCE, "indexes") == catalogue.render(), "run manage.py verify_indexes --write"


def test_a_section_is_replaced_where_it_stands_and_added_where_it_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "docs" / "performance.md"
    assert write_section(path, "budgets", "old\n")
    path.write_text(path.read_text() + "\nWritten by hand.\n")
    assert write_section(path, "budgets", r"new \1" + "\n")
    assert not write_section(path, "budgets", r"new \1" + "\n")
    assert section_of(path, "budgets") == r"new \1" + "\n"
    assert "old" not in path.read_text() and "Written by hand." in path.read_text()


def test_check_fails_when_the_document_is_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from performance.management.commands import write_budgets

    monkeypatch.setattr(write_budgets, "PERFORMANCE", tmp_path / "performance.md")
    with pytest.raises(CommandError, match="stale"):
        call_command("write_budgets", check=True)
    call_command("write_budgets")
    call_command("write_budgets", check=True)


def test_documents_are_those_of_the_repository() -> None:
    assert documents.PERFORMANCE.parent.name == "docs"
