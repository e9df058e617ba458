from django.db import connection, transaction

# Above this many passages a sample is counted instead of all.
MAX_COUNTED = 100_000


@transaction.atomic
def refresh_lexemes() -> int:
    """Count anew how many passages hold each word stem; return the number of stems."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT greatest(reltuples, 0) FROM pg_class WHERE oid = 'knowledge_passage'::regclass")
        passages = cursor.fetchone()[0]
        percent = min(100.0, 100.0 * MAX_COUNTED / max(passages, 1))
        # One refresh at a time; readers go on with the old counts until it commits.
        cursor.execute("LOCK TABLE knowledge_lexeme IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute("DELETE FROM knowledge_lexeme")
        cursor.execute(
            "INSERT INTO knowledge_lexeme (word, passage_count)"
            " SELECT word, round(ndoc * 100 / %s) FROM ts_stat(format("
            "'SELECT search_vector FROM knowledge_passage TABLESAMPLE SYSTEM (%%s)', %s::text))"
            " WHERE length(word) <= 100",
            [percent, percent],
        )
        return int(cursor.rowcount)
