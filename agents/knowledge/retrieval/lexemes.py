from django.db import connection, transaction

# Above this many passages a sample is counted instead of all.
MAX_COUNTED = 100_000


@transaction.atomic
def refresh_lexemes() -> int:
    """Count anew how many passages hold each word stem; return the number of stems.

    Rows that stay are updated in place: a table written anew doubles the index that misspelt words are looked up in.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT greatest(reltuples, 0) FROM pg_class WHERE oid = 'knowledge_passage'::regclass")
        passages = cursor.fetchone()[0]
        percent = min(100.0, 100.0 * MAX_COUNTED / max(passages, 1))
        # One refresh at a time; readers go on with the old counts until it commits.
        cursor.execute("LOCK TABLE knowledge_lexeme IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute(
            """
            MERGE INTO knowledge_lexeme known USING (
                SELECT word, round(ndoc * 100 / %s)::int AS passage_count FROM ts_stat(format(
                    'SELECT search_vector FROM knowledge_passage TABLESAMPLE SYSTEM (%%s)', %s::text
                )) WHERE length(word) <= 100
            ) counted ON known.word = counted.word
            WHEN MATCHED AND known.passage_count <> counted.passage_count
                THEN UPDATE SET passage_count = counted.passage_count
            WHEN NOT MATCHED THEN INSERT (word, passage_count) VALUES (counted.word, counted.passage_count)
            WHEN NOT MATCHED BY SOURCE THEN DELETE
            """,
            [percent, percent],
        )
        cursor.execute("SELECT count(*) FROM knowledge_lexeme")
        return int(cursor.fetchone()[0])
