"""Reads that may be a moment old go to a replica, where `REPLICA_URL` names one; else, and otherwise, to the primary.

A replica is treated as a cache whose lifetime is its lag:

1. Only what is read through `may_lag` goes there. Everything else, and every write, goes to the primary.
2. It is read only while it is known to have replayed all that the primary had written at most
   `REPLICA_MAX_LAG_SECONDS` ago.
3. A viewer who wrote since, and everyone when something was withdrawn since, reads from the primary: the tags
   that make cached answers worthless make the replica worthless too, for that long.
4. When the replica fails or hangs, the same read is answered by the primary.
5. Without Valkey nobody knows who wrote, so all is read from the primary.
"""

from performance.replica.reading import may_lag

__all__ = ["may_lag"]
