"""Answers to GET, given before Django's handler: the credential and the bytes in one Valkey round trip.

What holds, always:

1. An answer is kept only when the view said for whom it is (`note_viewer`), was a 200 with a known length, sets
   no cookie, varies on nothing outside the name of the entry, and does not forbid it.
2. The name of an entry holds everything that chose the answer: host, scheme, path, query, `Accept` and the
   whole credential (`Authorization`, `X-API-Key`, the cookies of a session). Another credential has another
   name, so an answer cannot reach another viewer: no rule has to be remembered for that.
3. An entry is valid only under the versions that it was computed under: of everything, of withdrawals, of its
   viewer, of what its path names (a post, an author, a community: the named groups of the setting's patterns).
   They are read before Django runs, in the same round trip as the entry itself on a hit.
4. A viewer's version changes with each unsafe request that the viewer makes, before it is answered, and with
   each write of a service that names the viewer: one's own writes are seen at once.
5. The version of withdrawals changes when anything is removed, hidden, narrowed or revoked, for anyone: what
   may no longer be seen is not seen, by anyone, from the next request on. It empties this cache; removals are
   rare beside reads, and a rule per post could be wrong.
6. An entry dies with its credential: it outlives neither the key's expiry nor half a minute of a session.
7. What is cached at a browser is asked for again each time (`no-cache`) and costs a 304.
8. Without Valkey every request is passed on. Versions that could not be changed meanwhile are changed before
   this process reads again; another process may for a quarter of a second serve what it had.

A hit is not counted by the throttle, which protects the database that a hit does not touch, and does not
record the use of a key: a key in use misses at least once per lifetime, and last use is told to five minutes.
"""

from performance.response_cache.viewers import note_viewer
from performance.response_cache.wrapper import ResponseCache

__all__ = ["ResponseCache", "note_viewer"]
