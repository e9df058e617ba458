from django.db import migrations

REFUSE_CHANGES = """
CREATE FUNCTION knowledge_ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The ledger is append-only: % is refused.', TG_OP USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE ON knowledge_ledgerentry
FOR EACH STATEMENT EXECUTE FUNCTION knowledge_ledger_refuse_change();
"""

# Per statement, not per row: a batch of entries costs one check and one update. The accounts are locked in
# the order of their ids first, so that two transfers in opposite directions cannot deadlock.
BOOK_ENTRIES = """
CREATE FUNCTION knowledge_ledger_book() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM booked GROUP BY idempotency_key HAVING sum(amount_micro) <> 0) THEN
        RAISE EXCEPTION 'The entries of a transfer must sum to zero.' USING ERRCODE = 'check_violation';
    END IF;
    PERFORM FROM knowledge_account WHERE id IN (SELECT account_id FROM booked) ORDER BY id FOR NO KEY UPDATE;
    UPDATE knowledge_account SET balance_micro = balance_micro + moved.amount
    FROM (SELECT account_id, sum(amount_micro) AS amount FROM booked GROUP BY account_id) AS moved
    WHERE id = moved.account_id;
    RETURN NULL;
END $$;

CREATE TRIGGER ledger_book AFTER INSERT ON knowledge_ledgerentry REFERENCING NEW TABLE AS booked
FOR EACH STATEMENT EXECUTE FUNCTION knowledge_ledger_book();
"""

# The balance is what the entries say: nothing but their trigger writes it.
GUARD_BALANCE = """
CREATE FUNCTION knowledge_account_guard_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'A balance changes by ledger entries only.' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER account_guard_balance BEFORE UPDATE OF balance_micro ON knowledge_account
FOR EACH ROW WHEN (OLD.balance_micro IS DISTINCT FROM NEW.balance_micro)
EXECUTE FUNCTION knowledge_account_guard_balance();

CREATE TRIGGER account_starts_empty BEFORE INSERT ON knowledge_account
FOR EACH ROW WHEN (NEW.balance_micro <> 0) EXECUTE FUNCTION knowledge_account_guard_balance();
"""


class Migration(migrations.Migration):
    dependencies = [("knowledge", "0002_retrieval_research_ledger")]

    operations = [
        migrations.RunSQL(
            REFUSE_CHANGES,
            "DROP TRIGGER ledger_append_only ON knowledge_ledgerentry; DROP FUNCTION knowledge_ledger_refuse_change();",
        ),
        migrations.RunSQL(
            BOOK_ENTRIES, "DROP TRIGGER ledger_book ON knowledge_ledgerentry; DROP FUNCTION knowledge_ledger_book();"
        ),
        migrations.RunSQL(
            GUARD_BALANCE,
            "DROP TRIGGER account_guard_balance ON knowledge_account;"
            " DROP TRIGGER account_starts_empty ON knowledge_account;"
            " DROP FUNCTION knowledge_account_guard_balance();",
        ),
    ]
