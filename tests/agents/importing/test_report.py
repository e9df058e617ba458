from agents.importing.report import MAX_EXAMPLES, Report


def test_a_part_adds_what_it_counted_and_where() -> None:
    whole, part = Report(read=1), Report(read=2)
    whole.created("posts")
    whole.skip("posts", "no text", "a:1")
    part.created("posts", 2)
    for line in range(2, MAX_EXAMPLES + 5):
        part.skip("posts", "no text", f"a:{line}")
    part.note("posts", "no date", "a:9")
    whole.add(part)
    assert (whole.read, whole.outcomes["posts", "created"]) == (3, 3)
    finding = whole.skipped["posts", "no text"]
    assert (finding.count, finding.places) == (MAX_EXAMPLES + 4, [f"a:{line}" for line in range(1, MAX_EXAMPLES + 1)])
    assert whole.notes["posts", "no date"].places == ["a:9"]
