from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from performance.budgets import endpoints
from performance.documents import PERFORMANCE, write_section
from performance.hot_queries import hot_queries
from performance.indexes import catalogue
from performance.indexes.findings import Finding, findings, index_names
from performance.indexes.plans import Verdict, verify


class Command(BaseCommand):
    help = (
        "Check on a seeded database that every hot query uses its index, and find invalid, duplicate, missing, "
        "unused and bloated indexes. Ends with 1 when something must be mended."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--strict", action="store_true", help="fail on unused and bloated indexes too")
        parser.add_argument("--write", action="store_true", help="write the table of docs/performance.md")

    def handle(self, *, strict: bool, write: bool, **options: Any) -> None:
        if write and write_section(PERFORMANCE, "indexes", catalogue.render()):
            self.stdout.write(f"Wrote {PERFORMANCE}.")
        failed = sum(self._show_verdict(verify(query)) for query in hot_queries())
        failed += sum(self._show_finding(finding, strict=strict) for finding in findings())
        failed += self._show_absent()
        if failed:
            raise CommandError(f"{failed} of the above must be mended.", returncode=1)

    def _show_verdict(self, verdict: Verdict) -> bool:
        indexes = ", ".join(sorted(verdict.query.indexes))
        if verdict.problem:
            self.stdout.write(self.style.ERROR(f"FAIL {verdict.query.name}: {verdict.problem} (wants {indexes})"))
        else:
            note = f" ({verdict.note})" if verdict.note else ""
            self.stdout.write(self.style.SUCCESS("ok   ") + f"{verdict.query.name}: {indexes}{note}")
        return bool(verdict.problem)

    def _show_finding(self, finding: Finding, *, strict: bool) -> bool:
        is_failure = finding.is_failure or strict
        style = self.style.ERROR if is_failure else self.style.WARNING
        word = "FAIL" if is_failure else "note"
        self.stdout.write(style(f"{word} {finding.kind}: {finding.name} on {finding.table} {finding.detail}".rstrip()))
        return is_failure

    def _show_absent(self) -> int:
        names = index_names()
        missing = {f"{index}, counterpart of {former.name}" for former, index in catalogue.absent(names)}
        missing |= {
            f"{endpoint.budget.index}, declared by {endpoint.name}"
            for endpoint in endpoints()
            if endpoint.budget.index and endpoint.budget.index not in names
        }
        for line in sorted(missing):
            self.stdout.write(self.style.ERROR(f"FAIL absent: {line}"))
        return len(missing)
