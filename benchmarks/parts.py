"""The parts of the bench. Each runs in a process of its own, so that none inherits another's memory or caches."""

from collections.abc import Callable

from benchmarks.options import Options
from benchmarks.results import Row


def reading(options: Options) -> list[Row]:
    from benchmarks import side_by_side

    return side_by_side.rows(options)


def writing(options: Options) -> list[Row]:
    from benchmarks import writing

    return writing.rows(options)


def growth(options: Options) -> list[Row]:
    from benchmarks import growth

    return growth.rows(options)


def mix(options: Options) -> list[Row]:
    from benchmarks import reading_mix

    return reading_mix.rows(options)


def monitoring(options: Options) -> list[Row]:
    from benchmarks import monitoring

    return monitoring.rows(options)


def pages(options: Options) -> list[Row]:
    from benchmarks import pages

    return pages.rows(options)


def timelines(options: Options) -> list[Row]:
    from benchmarks import databases, timelines

    databases.use(databases.of_posts(options.posts, people_of=options.posts))
    return timelines.rows()


def generation(options: Options) -> list[Row]:
    from benchmarks import databases, generation

    databases.use(databases.prepared(f"{databases.PREFIX}generation"))
    return [Row(**row) for row in generation.rows()]


def publishing(options: Options) -> list[Row]:
    from benchmarks import databases, publishing

    databases.use(databases.prepared(f"{databases.PREFIX}publishing"))
    return [Row(**row) for row in publishing.rows()]


def retrieval(options: Options) -> list[Row]:
    from benchmarks import retrieval

    return retrieval.rows(options)


PARTS: dict[str, Callable[[Options], list[Row]]] = {
    part.__name__: part
    for part in (reading, writing, growth, mix, monitoring, pages, timelines, generation, publishing, retrieval)
}
# The others make what they measure.
ON_POSTS = ("reading", "writing", "growth", "mix", "monitoring", "pages", "timelines")
