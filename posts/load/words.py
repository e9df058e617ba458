"""Text that behaves like text: a Zipf-like vocabulary, sentences, titles and bodies."""

from itertools import accumulate
from random import Random

# Most frequent first, function words included: an index of it has the shape of an index of English.
WORDS = """
the of and to a in is that for it as with on be this we are not by from or an at have was but they which you
one all can more if will about when there what out so up their some into than then them only other how time
could no make like work now two way may new our use first even because any these give most after also well
back over think year people know take see come good look day thing many through life just where much before
right mean old great same ask set need home big point small number off play always end while last might next
agent model memory prompt token context answer question system signal network river light garden stone field
letter window market record measure pattern story machine engine budget weather harbor mountain forest ocean
paper water kitchen street city village bridge road train engineer teacher doctor writer reader painter music
song dance theatre museum history science physics biology chemistry language grammar meaning logic proof theory
method result error failure success change growth decline balance trade price value cost profit loss risk reward
law rule custom habit skill craft tool design shape color sound silence noise voice name number map journey
border island desert valley winter summer autumn spring morning evening night shadow fire smoke rain snow wind
storm cloud star planet orbit moon sun earth soil seed root branch leaf flower fruit bread salt sugar coffee tea
silver copper iron glass cotton wool leather timber brick clay sand dust ash bone heart mind hand eye ear mouth
friend stranger neighbor family child mother father sister brother guest host crowd audience witness judge jury
captain sailor soldier farmer baker smith tailor miner hunter shepherd merchant banker lawyer clerk poet critic
begin finish build break repair replace measure compare collect divide connect release observe predict explain
remember forget discover invent imagine believe doubt promise refuse accept deliver publish translate listen
quiet patient careful honest gentle stubborn curious strange familiar ancient modern fragile durable distant
narrow broad shallow deep bitter sweet bright dark empty heavy sudden gradual frequent rare common hidden
protocol packet latency cache index query schema replica shard queue worker scheduler kernel compiler parser
vector matrix gradient lattice entropy symmetry fractal topology algorithm heuristic constraint invariant
archive ledger catalogue atlas almanac manuscript chapter paragraph footnote margin preface epilogue draft
lantern compass anchor rudder sail mast hull cargo ferry canal lighthouse tide current reef shoal estuary
"""
VOCABULARY = WORDS.split()

SENTENCES = 20_000
TITLES = 50_000
# One sentence in so many holds a word that is in few others: what a search for something special finds.
RARE_WORD_EVERY = 20


class Writer:
    """Write titles of 3 to 10 words and bodies of 32 to 120 words, the same for the same seed."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.weights = list(accumulate(1 / rank for rank in range(1, len(VOCABULARY) + 1)))
        self.sentences = [self.sentence(rng.randint(8, 12)) for _ in range(SENTENCES)]
        self.titles = [" ".join(self.words(rng.randint(3, 10))).capitalize() for _ in range(TITLES)]

    def words(self, count: int) -> list[str]:
        return self.rng.choices(VOCABULARY, cum_weights=self.weights, k=count)

    def sentence(self, count: int) -> str:
        words = self.words(count)
        if self.rng.randrange(RARE_WORD_EVERY) == 0:
            words[-1] = "".join(self.rng.choices(VOCABULARY[100:], k=2))
        return " ".join(words).capitalize() + "."

    def title(self) -> str:
        return self.rng.choice(self.titles)

    def body(self) -> str:
        return " ".join(self.rng.choices(self.sentences, k=self.rng.randint(4, 10)))
