"""The SQL of the ledger. Each statement changes several tables at once, which only data-modifying CTEs do in one
round trip without a transaction block; each is prepared: planning them takes longer than running them.

Lists of things come as one JSON document, which costs one parameter instead of ten arrays.
"""

from performance.prepared.statement import Statement

# Takes the runs that are due and raises their fencing token, also on each of their steps: from here on nobody
# else can write them. What was reserved for calls whose end nobody saw counts as spent.
_CLAIM = """
WITH due AS (
    SELECT id FROM generation_run
    WHERE state IN ('queued', 'running') AND lease_until <= statement_timestamp() {chosen}
    ORDER BY lease_until LIMIT $3::int FOR UPDATE SKIP LOCKED
), claimed AS (
    UPDATE generation_run AS run
    SET state = 'running', worker = $1::text, fencing_token = fencing_token + 1, attempt = attempt + 1,
        lease_until = statement_timestamp() + $2::float8 * interval '1 second',
        started_at = coalesce(started_at, statement_timestamp()), error = ''
    FROM due WHERE run.id = due.id RETURNING run.*
), held AS (
    SELECT step.* FROM generation_runstep AS step JOIN claimed ON step.run_id = claimed.id
    WHERE step.take = claimed.take AND step.state IN ('waiting', 'running', 'failed') FOR UPDATE OF step
), lost AS (
    SELECT claimed.agent_id, held.reserved_on AS day,
           sum(held.reserved_tokens) AS tokens, sum(held.reserved_micros) AS micros
    FROM held JOIN claimed ON claimed.id = held.run_id
    WHERE held.state = 'running' GROUP BY claimed.agent_id, held.reserved_on
), settled AS (
    UPDATE generation_dailybudget AS budget
    SET tokens_reserved = tokens_reserved - lost.tokens, tokens_spent = tokens_spent + lost.tokens,
        micros_reserved = micros_reserved - lost.micros, micros_spent = micros_spent + lost.micros
    FROM lost WHERE budget.agent_id = lost.agent_id AND budget.day = lost.day
), fenced AS (
    UPDATE generation_runstep AS step SET fencing_token = claimed.fencing_token, state = 'waiting'
    FROM claimed, held WHERE step.id = held.id AND held.run_id = claimed.id
)
SELECT json_build_object(
    'run', to_jsonb(claimed), 'agent', to_jsonb(agent), 'profile', to_jsonb(profile),
    'persona', to_jsonb(persona), 'cadence', to_jsonb(cadence),
    'steps', (
        SELECT json_agg(
            to_jsonb(step) - '{{prompt,answer,input_hash}}'::text[] || CASE WHEN step.state = 'done' THEN '{{}}'::jsonb
                ELSE jsonb_build_object('state', 'waiting', 'fencing_token', claimed.fencing_token) END
            ORDER BY position
        ) FROM generation_runstep AS step WHERE step.run_id = claimed.id AND step.take = claimed.take
    )
)
FROM claimed
JOIN agents_agent AS agent ON agent.profile_id = claimed.agent_id
JOIN agents_profile AS profile ON profile.id = agent.profile_id
LEFT JOIN agents_personaversion AS persona ON persona.id = claimed.persona_id
LEFT JOIN generation_cadence AS cadence ON cadence.agent_id = claimed.agent_id
"""
CLAIM_DUE = Statement(_CLAIM.format(chosen=""))
CLAIM_THESE = Statement(_CLAIM.format(chosen="AND id = ANY($4::bigint[])"))

# Reserves the estimates of some calls in the agent's budget of today and marks their steps as running, all or
# none. The conditional upsert queues concurrent runs on one row: no cap is ever overspent.
START = Statement("""
WITH wanted AS (
    SELECT * FROM jsonb_to_recordset($1::jsonb)
        AS wanted(id bigint, input_hash text, prompt jsonb, tokens bigint, micros bigint)
), mine AS (
    SELECT step.id FROM generation_runstep AS step JOIN wanted USING (id)
    WHERE step.fencing_token = $2::bigint AND step.state = 'waiting' FOR UPDATE OF step
), needed AS (
    SELECT sum(tokens) AS tokens, sum(micros) AS micros FROM wanted JOIN mine USING (id)
    HAVING count(*) = jsonb_array_length($1::jsonb)
), reserved AS (
    INSERT INTO generation_dailybudget AS budget
        (agent_id, day, tokens_reserved, tokens_spent, micros_reserved, micros_spent)
    SELECT $3::bigint, (statement_timestamp() AT TIME ZONE 'UTC')::date, tokens, 0, micros, 0 FROM needed
    WHERE tokens <= $4::bigint AND micros <= $5::bigint
    ON CONFLICT (agent_id, day) DO UPDATE
    SET tokens_reserved = budget.tokens_reserved + excluded.tokens_reserved,
        micros_reserved = budget.micros_reserved + excluded.micros_reserved
    WHERE budget.tokens_spent + budget.tokens_reserved + excluded.tokens_reserved <= $4::bigint
      AND budget.micros_spent + budget.micros_reserved + excluded.micros_reserved <= $5::bigint
    RETURNING day
), started AS (
    UPDATE generation_runstep AS step
    SET state = 'running', attempt = attempt + 1, started_at = statement_timestamp(), error = '',
        input_hash = decode(wanted.input_hash, 'hex'), prompt = wanted.prompt,
        reserved_tokens = wanted.tokens, reserved_micros = wanted.micros, reserved_on = reserved.day
    FROM wanted, reserved WHERE step.id = wanted.id RETURNING step.id
)
SELECT count(*), (SELECT count(*) FROM mine) FROM started
""")

# Writes the results of some steps and turns what was reserved for them into what they cost. A result that is
# there already counts as written: the answer to the first try was lost with its connection.
_FINISH = """
WITH {before}results AS (
    SELECT * FROM jsonb_to_recordset($1::jsonb)
        AS results(id bigint, input_hash text, output jsonb, answer jsonb, model text, own_ms float8,
                   provider_ms float8, tokens_in int, tokens_out int, cost_micros bigint)
), finished AS (
    UPDATE generation_runstep AS step
    SET state = 'done', finished_at = statement_timestamp(), error = '',
        started_at = CASE WHEN step.state = 'waiting' THEN statement_timestamp() - results.own_ms * interval '1 ms'
                          ELSE step.started_at END,
        attempt = attempt + CASE WHEN step.state = 'waiting' THEN 1 ELSE 0 END,
        input_hash = decode(results.input_hash, 'hex'), output = results.output, answer = results.answer,
        model = results.model, own_ms = results.own_ms, provider_ms = results.provider_ms,
        tokens_in = results.tokens_in, tokens_out = results.tokens_out, cost_micros = results.cost_micros
    FROM results {condition}
    WHERE step.id = results.id AND step.fencing_token = $2::bigint AND step.state IN ('waiting', 'running')
    RETURNING step.id, step.reserved_on, step.reserved_tokens, step.reserved_micros,
              step.tokens_in + step.tokens_out AS tokens, step.cost_micros
), sums AS (
    SELECT reserved_on AS day, sum(reserved_tokens) AS reserved_tokens, sum(reserved_micros) AS reserved_micros,
           sum(tokens) AS tokens, sum(cost_micros) AS micros
    FROM finished WHERE reserved_on IS NOT NULL GROUP BY reserved_on
), settled AS (
    UPDATE generation_dailybudget AS budget
    SET tokens_reserved = budget.tokens_reserved - sums.reserved_tokens,
        tokens_spent = budget.tokens_spent + sums.tokens,
        micros_reserved = budget.micros_reserved - sums.reserved_micros,
        micros_spent = budget.micros_spent + sums.micros
    FROM sums WHERE budget.agent_id = $3::bigint AND budget.day = sums.day
)
SELECT (SELECT count(*) FROM finished) + (
    SELECT count(*) FROM results JOIN generation_runstep AS step USING (id)
    WHERE step.fencing_token = $2::bigint AND step.state = 'done'
      AND step.input_hash = decode(results.input_hash, 'hex')
)
"""
FINISH = Statement(_FINISH.format(before="", condition=""))

# The same for the last results of a run, in the transaction of its post or message. The run is locked before its
# steps, as in a claim, because they are joined to it: the two cannot deadlock.
COMPLETE = Statement(
    _FINISH.format(
        before="""completed AS (
    UPDATE generation_run SET state = 'done', post_id = nullif($5::bigint, 0), reply_id = nullif($6::bigint, 0),
        finished_at = statement_timestamp(), worker = ''
    WHERE id = $4::bigint AND fencing_token = $2::bigint AND state = 'running' RETURNING id
), remembered AS (
    INSERT INTO generation_memory (agent_id, post_id, text, is_refused, embedding, body_embedding, embedding_model)
    SELECT agent_id, $5::bigint, text, FALSE, embedding, body_embedding, embedding_model
    FROM completed, jsonb_to_record($7::jsonb) AS new(agent_id bigint, text text, embedding halfvec,
                                                      body_embedding halfvec, embedding_model text)
    WHERE agent_id IS NOT NULL
    ON CONFLICT DO NOTHING
), """,
        condition="CROSS JOIN completed",
    )
)
