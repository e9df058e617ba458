import django.contrib.postgres.indexes
from django.db import migrations, models

# In place, where Django would build the indexes anew. What is on their lists now is written out at once.
SHORTER = """
ALTER INDEX content_sketch SET (fastupdate = off);
ALTER INDEX lexeme_word_trgm SET (fastupdate = off);
ALTER INDEX passage_search SET (gin_pending_list_limit = 256);
SELECT gin_clean_pending_list(name::regclass)
FROM unnest(ARRAY['content_sketch', 'lexeme_word_trgm', 'passage_search']) AS name;
"""
AS_BEFORE = """
ALTER INDEX content_sketch RESET (fastupdate);
ALTER INDEX lexeme_word_trgm RESET (fastupdate);
ALTER INDEX passage_search RESET (gin_pending_list_limit);
"""


class Migration(migrations.Migration):
    dependencies = [("knowledge", "0004_passage_heading")]

    operations = [
        migrations.RunSQL(
            SHORTER,
            AS_BEFORE,
            state_operations=[
                migrations.RemoveIndex("content", "content_sketch"),
                migrations.RemoveIndex("lexeme", "lexeme_word_trgm"),
                migrations.RemoveIndex("passage", "passage_search"),
                migrations.AddIndex(
                    "content",
                    django.contrib.postgres.indexes.GinIndex(
                        condition=models.Q(("sketch", []), _negated=True),
                        fastupdate=False,
                        fields=["sketch"],
                        name="content_sketch",
                    ),
                ),
                migrations.AddIndex(
                    "lexeme",
                    django.contrib.postgres.indexes.GinIndex(
                        django.contrib.postgres.indexes.OpClass("word", "gin_trgm_ops"),
                        fastupdate=False,
                        name="lexeme_word_trgm",
                    ),
                ),
                migrations.AddIndex(
                    "passage",
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["search_vector"], gin_pending_list_limit=256, name="passage_search"
                    ),
                ),
            ],
        )
    ]
