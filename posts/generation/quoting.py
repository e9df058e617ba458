"""Which sentences can be said outside the page they stand on."""

import re
from collections.abc import Iterator

from posts.generation.extracts import MIN_SENTENCE, sentences

MAX_SENTENCE = 280

# What reads badly out of its place: code, templates, addresses, tables, pointers to other parts of the page.
_UNFIT = re.compile(
    r"https?:|www\.|\w[/_]\w|^[\w -]{1,40}:|\{\{|\{%|```|[|<>{}\\\[\]]|=>|::|\$\w|@\w|\S#|"
    r"\b(below|above|following|click|subscribe|sign up|"
    r"this (posts?|articles?|blog|section|page|chapter|guide|document)|"
    r"read more|see also|guest post|full story|figure \d|table \d|next week|last week|yesterday|today|here|recommend|"
    r"blog posts?|more details|more information|"
    r"I|I'm|I've|I’m|I’ve|my|me|gem|Gemfile)\b",
    re.IGNORECASE,
)
# Sentences that talk to a language model instead of to a reader.
_ADDRESSES_A_MODEL = re.compile(
    r"\b(ignore|disregard|forget|override)\b.{0,40}\b(instruction|prompt|rule|previous|above)|system prompt|"
    r"\b(api[ _-]?key|password|secret key|access token)\b|\byou are (now )?(an?|the) (ai|assistant|model|agent)\b|"
    r"\b(as an ai|language model)\b.{0,20}\byou\b",
    re.IGNORECASE,
)
# Whoever repeats it would speak as the people who wrote it: "US" is a country.
_SPEAKS_FOR_ITS_AUTHORS = re.compile(r"\b([Ww]e|[Ww]e['’](re|ve|ll|d)|[Oo]urs?|us|[Oo]urselves|[Ll]et['’]s)\b")
# What is written to be sold, or was news for a week.
_ADVERTISES = re.compile(
    r"!|\b(excited|thrilled|pleased|delighted|happy|proud|honou?red|glad) to\b|\b(look(ing)? forward|stay tuned|"
    r"don['’]t miss|join (the|your)|check (it )?out|learn more|get started|thanks? (to|you)|congratulations|welcome|"
    r"state[- ]of[- ]the[- ]art|cutting[- ]edge|next[- ]generation|world[- ]class|best[- ]in[- ]class|"
    r"shap\w+ the future|the power of|movement toward|is(n['’]t| not) just an?|remarkabl[ey]|"
    r"next level|the best performance|boosts?|"
    r"game[- ]chang\w+|revolutionary|seamless(ly)?|effortless(ly)?|supercharge\w*|unparalleled|amazing|incredible|"
    r"announc\w+|available for download|release notes|now available|newly released|has been released|webinars?|"
    r"register|registration|please|e-?mail|application form|sponsors?(ed|hip)?|newsletters?|digest|episodes?|podcasts?|"
    r"(available|released) (on|in|as|from)|there you have it|"
    r"(project|post|article) by|last (update|time|month|year)|recent(ly)?|upcoming|"
    r"this (year|month|week|spring|summer|autumn|fall|winter)|(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|"
    r"(January|February|March|April|June|July|August|September|October|November|December|May \d+))\b|"
    r"\b\d+\.\d+\.\d+",
    re.IGNORECASE,
)
# The first word or words that continue what was said before.
_LEANS_ON_BEFORE = re.compile(
    r"[\"“]?(This|That|These|Those(?! (who|whose|with|that|which|of|in))|"
    r"It|They|He|She|His|Her|Their|Its|But|And|So|Or|Nor|However|Also|Then|Thus|Therefore|"
    r"Hence|Instead|Not only|Similarly|Likewise|Furthermore|Further|Moreover|Additionally|Finally|Lastly|Firstly|"
    r"First|Second|Secondly|Third|Next|Another|Other|Others|Such|Both|Either|Neither|Each of|Some of|Most of|Many of|"
    r"All of|None of|One of|Again|Still|Yet|Meanwhile|Otherwise|Consequently|Accordingly|Nevertheless|Nonetheless|"
    r"Besides|Alternatively|Specifically|Conversely|Indeed|Rather|Overall|Later|Earlier|Afterwards?|Eventually|"
    r"Previously|Now|Currently|Plus|Well|Yes|No,|Sure|Okay|OK|Unfortunately|Fortunately|Luckily|Sadly|Interestingly|"
    r"Importantly|Of course|That said|After all|Even so|Even then|Even though|At the same time|At th(is|at) point|"
    r"On top of|To (do|that)|(In|By) doing|In (particular|fact|short|summary|sum|general|other words|addition|"
    r"contrast|this|that|these|those|the end|both|each|the meantime|turn)|By contrast|With (this|that|these|those)|"
    r"For (example|instance|this|that|these|those|more|one)|As (a result|such|mentioned|noted|discussed|described|"
    r"before|always|you (can|may) see|we|part of)|Because of (this|that|these|it)|On the (other|one) hand|"
    r"See|Note|Please|Similar to|Like (this|that|these|it)|Same|Here|There you|Once (it|this|that|they|again|more)|"
    r"(Since|Because|While|When|If|As|Although|Though|Unless|Until|After|Before|Whenever|Where|Given|Despite) "
    r"(it|they|he|she|this|that|these|those|both|its|their|his|her|all of|so|such)|"
    r"(After|Before|By|When|While|In|On|For|With|Without|Upon) \w+ing (it|them|this|these|that)|"
    r"The (chart|table|figure|diagram|graph|image|picture|photo|example|code|snippet|list|argument|"
    r"first|second|third|other|others|same|next|last|latter|former|final|rest|result|results|answer|reason|"
    r"reasons|problem|idea|goal|goals|aim|point|solution|change|changes|above|above-mentioned|new|good news|bad news|"
    r"main|only|key|most|more|less|resulting|team|group|authors?|project|company|event|session|workshop|feature|"
    r"function|method|option|default|current|previous|original|latest|updated|full|complete))\b"
)
# Anywhere in a first sentence they point before it, unless they open what they point to: "those who watch".
_POINTS_BEFORE = re.compile(
    r"\b(this|these|the (latter|former|aforementioned|new)|as (mentioned|noted|discussed|described)|such an?|"
    r"for (example|instance)|"
    r"that (combination|approach|kind|way|case|point|question|reason|work|process|experience|idea|change)|"
    r"(those|them|it|they) (two|three|both)|those (?!who|that|which|with|of|in|on|from|for|whose|at|to)\w+)\b",
    re.IGNORECASE,
)
# Lines of a curriculum vitae: who it is about is left out.
_HAS_NO_SUBJECT = re.compile(
    r"((Intimately|Deeply|Highly|Always|Constantly|Never) \w+|Passionate|Expert|Skilled|Fluent|Knowledgeable|Familiar|"
    r"Well[- ]versed|Proficient|Knows|Holds|Has|Is|Was|Maintains|Believes|Works|Loves|Hates|Thinks|Speaks|Can|"
    r"Understands|Explains|Enjoys|Likes|Prefers|Uses|Runs|Writes|Seeking|Exploring|Helping|Should|Must|Will)\b|"
    r"[A-Z][a-z]+[^e\W]ed (in|on|by|to|the|a|an|with|for|as|over|through|multiple|several|many)\b"
)
# Every English sentence that is whole has a verb, most often one of these or one in the past tense.
_HAS_VERB = re.compile(
    r"\b(is|are|was|were|be|been|has|have|had|do|does|did|can|can't|cannot|could|will|would|may|might|must|shall|should|"
    r"isn['’]t|aren['’]t|wasn['’]t|weren['’]t|don['’]t|doesn['’]t|didn['’]t|won['’]t|it['’]s|that['’]s|there['’]s|"
    r"you['’](re|ve|ll)|they['’](re|ve|ll)|makes?|takes?|gives?|gets?|goes|go|comes?|keeps?|lets?|means?|needs?|"
    r"wants?|knows?|sees?|says?|said|shows?|helps?|works?|uses?|runs?|reads?|writes?|wrote|holds?|held|stands?|"
    r"begins?|began|starts?|ends?|stops?|seems?|becomes?|became|remains?|leaves?|left|brings?|brought|builds?|built|"
    r"finds?|found|feels?|felt|puts?|sets?|allows?|provides?|requires?|includes?|contains?|offers?|supports?|enables?|"
    r"creates?|changes?|depends?|relies|rely|applies|apply|tells?|told|asks?|learns?|teaches|teach|thinks?|thought|"
    r"made|took|gave|got|went|came|kept|knew|saw|ran|grew|grows?|lives?|moves?|turns?|calls?|tries|try|plays?|pays?|"
    r"serves?|leads?|led|follows?|adds?|reduces?|improves?|ensures?|describes?|explains?|represents?|involves?|\w+ed)\b",
    re.IGNORECASE,
)


def reads_well(sentence: str, *, is_own: bool) -> bool:
    """Whether a sentence is whole and can be read outside its page; of others, also whether it can be quoted."""
    letters = sum(char.isalpha() or char == " " for char in sentence)
    return (
        MIN_SENTENCE <= len(sentence) <= MAX_SENTENCE
        and (sentence[0].isupper() or sentence[0] in '“"')
        and sentence.rstrip('"”’)')[-1:] in (".", "!", "?")
        and letters / len(sentence) > 0.86
        and len(sentence.split()) >= 7
        and sentence.count("(") == sentence.count(")")
        and sentence.count('"') % 2 == 0
        and sentence.count("“") == sentence.count("”")
        and not _UNFIT.search(sentence)
        and not _ADDRESSES_A_MODEL.search(sentence)
        and not (_HAS_NO_SUBJECT.match(sentence) and not sentence.endswith("?"))
        and (is_own or _can_be_quoted(sentence))
    )


def _can_be_quoted(sentence: str) -> bool:
    return not _SPEAKS_FOR_ITS_AUTHORS.search(sentence) and not _ADVERTISES.search(sentence)


def is_presentable(title: str) -> bool:
    """Whether a title from outside can be shown as it is: it names a text and does not talk to a machine."""
    return not _ADDRESSES_A_MODEL.search(title) and not re.search(r"https?:|[<>{}]", title)


def is_news(title: str) -> bool:
    """Whether a title announces something, or speaks for those who wrote it: a poor topic for anybody else."""
    return bool(_ADVERTISES.search(title) or _SPEAKS_FOR_ITS_AUTHORS.search(title))


def stands_alone(sentence: str) -> bool:
    """Whether a sentence needs nothing before it to be understood."""
    return not _LEANS_ON_BEFORE.match(sentence) and not _POINTS_BEFORE.search(sentence)


def quotable_runs(found: list[str], *, limit: int, is_own: bool) -> Iterator[tuple[int, int]]:
    """Yield the spans of sentences that can be used together: the first stands alone, all of them read well.

    Of what others wrote a sentence alone is no thought; of one's own knowledge it is a fact.
    """
    fit = [reads_well(sentence, is_own=is_own) for sentence in found]
    for start, sentence in enumerate(found):
        if not (fit[start] and stands_alone(sentence)):
            continue
        end = start + 1
        while end < len(found) and end - start < limit and fit[end]:
            end += 1
        # A question is answered by what comes after it.
        while end > start and found[end - 1].endswith("?"):
            end -= 1
        is_whole = end - start > 1 and any(_HAS_VERB.search(said) for said in found[start:end])
        if is_whole or (is_own and end > start):
            yield start, end


def is_quotable(paragraph: str, *, is_own: bool) -> bool:
    """Whether something of a paragraph can be used."""
    return any(True for _ in quotable_runs([span.text for span in sentences(paragraph)], limit=2, is_own=is_own))
