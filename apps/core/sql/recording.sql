-- What a recording trigger runs: one statement that writes the ledger and the history row of every changed row.
-- Installed anew by every `manage.py migrate` (apps/core/recorders.py), so that an improvement needs no migration.

-- Columns that change with every write and say nothing.
CREATE OR REPLACE FUNCTION mops_silent_columns() RETURNS text[] LANGUAGE sql IMMUTABLE AS $$
    SELECT ARRAY['updated_at', 'row_version', 'last_login', 'last_used_at']
$$;

-- What of a personal column is kept secret: an empty text is nothing that anybody could be known by.
CREATE OR REPLACE FUNCTION mops_secret(value text, typname name) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN typname IN ('text', 'varchar') THEN format('nullif(%s, '''')', value) ELSE value END
$$;

-- The SQL value of one side of a column as the ledger keeps it. Personal values are kept as commitments:
-- sha256(salt || value), the salt in a side table that can be erased; null and an empty text are told as they are.
DROP FUNCTION IF EXISTS mops_kept(text, text, text, boolean);
CREATE OR REPLACE FUNCTION mops_kept(value text, typname name, name text, side text, is_personal boolean) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN NOT is_personal THEN value ELSE format(
        'CASE WHEN %3$s IS NOT NULL THEN jsonb_build_object(''commitment'', encode(sha256('
        'sha256(mops_salt || %2$L::bytea) || convert_to(to_jsonb(%1$s)::text, ''UTF8'')), ''hex'')) '
        'WHEN %1$s IS NOT NULL THEN ''""''::jsonb END',
        value, name || ':' || side, mops_secret(value, typname)) END
$$;

-- The same as JSON text, where there is but one side: a value that is not null. Arrays and objects are not built, only
-- written, and salt and value of a personal column are columns by then (7 of 52 µs less for a row of thirty columns).
DROP FUNCTION IF EXISTS mops_told(text, name, text);
CREATE OR REPLACE FUNCTION mops_told(value text, typname name, secret integer) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN secret IS NOT NULL THEN format(  -- no salt was drawn for an empty text
            'CASE WHEN mops_salt_%1$s IS NULL THEN ''""'' ELSE ''{"commitment":"'' || '
            'encode(sha256(mops_salt_%1$s || convert_to(mops_value_%1$s::text, ''UTF8'')), ''hex'') || ''"}'' END', secret)
        WHEN typname IN ('int2', 'int4', 'int8') THEN value || '::text'
        WHEN typname = 'bool' THEN format('CASE WHEN %s THEN ''true'' ELSE ''false'' END', value)
        WHEN typname = 'uuid' THEN format('''"'' || %s::text || ''"''', value)
        WHEN typname IN ('text', 'varchar') THEN
            format('CASE WHEN %1$s = '''' THEN ''""'' ELSE to_json(%1$s)::text END', value)
        ELSE format('to_json(%s)::text', value) END
$$;

-- The expression that holds, for each changed column, the value before and after. It is put together as text, so that
-- columns that did not change cost a comparison and no more (0.7 against 1.9 µs a row of six columns). Operands in
-- chunks: a function of PostgreSQL takes at most 100 arguments.
CREATE OR REPLACE FUNCTION mops_diff_sql(relid oid, operation text, hidden text[], personal text[]) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    col record;
    differs text; pair text;
    chunk text[] := '{}'; parts text[] := '{}';
BEGIN
    FOR col IN
        SELECT a.attname AS name, format('n.%I', a.attname) AS new, format('o.%I', a.attname) AS old,
               to_json(a.attname)::text || ':' AS label, t.typname AS typname,
               CASE WHEN a.attname = ANY (personal) THEN a.attnum END AS secret,
               CASE WHEN t.typname IN ('json', 'xml', 'point', 'polygon') THEN '::text' ELSE '' END AS comparable
        FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
        WHERE a.attrelid = relid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> 'v'
          AND a.attname <> ALL (mops_silent_columns())
        ORDER BY a.attnum
    LOOP
        differs := CASE operation WHEN 'INSERT' THEN col.new || ' IS NOT NULL'
                                  WHEN 'DELETE' THEN col.old || ' IS NOT NULL'
                                  ELSE format('%s%s IS DISTINCT FROM %s%s', col.old, col.comparable, col.new,
                                              col.comparable) END;
        pair := CASE operation
            WHEN 'INSERT' THEN format('%L || %s || '']''', col.label || '[null,', mops_told(col.new, col.typname, col.secret))
            WHEN 'DELETE' THEN format('%L || %s || '',null]''', col.label || '[', mops_told(col.old, col.typname, col.secret))
            ELSE format('%L || json_build_array(%s, %s)::text', col.label,
                        mops_kept(col.old, col.typname, col.name, 'old', col.secret IS NOT NULL),
                        mops_kept(col.new, col.typname, col.name, 'new', col.secret IS NOT NULL)) END;
        IF col.name = ANY (hidden) THEN  -- that a secret changed is told, what it is never
            pair := quote_literal(col.label || CASE operation WHEN 'INSERT' THEN '[null, "(secret)"]'
                                  WHEN 'DELETE' THEN '["(secret)", null]' ELSE '["(secret)", "(secret)"]' END);
        END IF;
        chunk := chunk || format('CASE WHEN %s THEN %s END', differs, pair);
        IF cardinality(chunk) = 90 THEN
            parts := parts || format('nullif(concat_ws('','', %s), '''')', array_to_string(chunk, ', '));
            chunk := '{}';
        END IF;
    END LOOP;
    IF chunk <> '{}' THEN
        parts := parts || format('nullif(concat_ws('','', %s), '''')', array_to_string(chunk, ', '));
    END IF;
    RETURN CASE WHEN parts = '{}' THEN '''{}''::jsonb'
                ELSE format('(''{'' || concat_ws('','', %s) || ''}'')::jsonb', array_to_string(parts, ', ')) END;
END $$;

DROP FUNCTION IF EXISTS mops_salt(text);

-- Who acts, as the recording triggers read it from mops.ctx: one expression, where one variable for each cost 12 µs.
DO $$ BEGIN
    IF to_regtype('mops_acting') IS NULL THEN
        CREATE TYPE mops_acting AS (actor_id bigint, actor text, behalf text, channel text, request text, job text,
                                    reason text);
    END IF;
END $$;

-- What is recorded for one table and operation, in parts that `who` (who acts, when, in which transaction) completes:
-- the common table expressions that find the changed rows, the statement that writes the ledger, those that write
-- beside it, and the condition that refuses what lacks a reason.
CREATE OR REPLACE FUNCTION mops_recording_parts(relid oid, operation text, history text, hidden text[],
                                                personal text[], OUT changed text, OUT ledger text, OUT beside text,
                                                OUT reasoned text)
LANGUAGE plpgsql STABLE AS $$
DECLARE
    tablename text := (SELECT relname FROM pg_class WHERE oid = relid);
    key text := coalesce((SELECT a.attname FROM pg_index i JOIN pg_attribute a
        ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = relid AND i.indisprimary AND i.indnkeyatts = 1), 'id');
    salted boolean := personal <> '{}' AND to_regclass('audit_personalvalue') IS NOT NULL;
    -- a row that came or went has one side only: all of it is told, and nothing has to be compared
    whole boolean := operation <> 'UPDATE';
    side text := CASE operation WHEN 'DELETE' THEN 'o' ELSE 'n' END;
    keyed text := CASE operation WHEN 'UPDATE' THEN format('coalesce(n.%1$I, o.%1$I)', key)
                                 ELSE format('%s.%I', side, key) END;
    aspect text := CASE operation WHEN 'DELETE' THEN 'old' ELSE 'new' END;
    versions oid := to_regclass(quote_ident(history));
    label text; kept text; told text; picked text; rows text; extra text; behind text;
BEGIN
    IF NOT salted THEN hidden := hidden || personal; END IF;
    SELECT string_agg(format('%s.%I::text', side, a.attname), ', ' ORDER BY array_position(labels, a.attname::text))
      INTO label
    FROM pg_attribute a, (SELECT ARRAY['name', 'title', 'email', 'file_name', 'label'] AS labels) l
    WHERE a.attrelid = relid AND NOT a.attisdropped AND a.attname = ANY (labels)
      AND a.attname <> ALL (hidden || personal);
    SELECT string_agg(quote_ident(mine.attname), ', ' ORDER BY mine.attnum),
           string_agg('changed.' || quote_ident(mine.attname), ', ' ORDER BY mine.attnum),
           string_agg(CASE WHEN operation = 'UPDATE'
                THEN format('CASE WHEN n.%1$I IS NULL THEN o.%2$I ELSE n.%2$I END AS %2$I', key, mine.attname)
                ELSE format('%s.%I', side, mine.attname) END, ', ' ORDER BY mine.attnum)
      INTO kept, told, picked
    FROM pg_attribute mine JOIN pg_attribute theirs ON theirs.attname = mine.attname AND NOT theirs.attisdropped
    WHERE mine.attrelid = relid AND mine.attnum > 0 AND NOT mine.attisdropped
      AND theirs.attrelid = versions AND theirs.attnum > 0;
    rows := CASE operation
        WHEN 'INSERT' THEN 'new_rows n' WHEN 'DELETE' THEN 'old_rows o'
        -- a full join: a changed key shows as a deletion and a creation; and never a nested loop over two big sets
        ELSE format('new_rows n FULL JOIN old_rows o ON o.%1$I = n.%1$I', key) END;
    extra := CASE WHEN picked IS NULL THEN '' ELSE ', ' || picked END;
    IF salted THEN
        -- OFFSET 0: made once for a row, not wherever it is used
        rows := rows || format(' CROSS JOIN drawn CROSS JOIN LATERAL (SELECT sha256(mops_drawn || '
                               'convert_to(%s::text, ''UTF8'')) AS mops_salt OFFSET 0) s', keyed);
        IF NOT whole THEN extra := extra || ', mops_salt'; END IF;
        SELECT CASE WHEN whole
                    THEN rows || format(' CROSS JOIN LATERAL (SELECT %s OFFSET 0) t', string_agg(
                        format('CASE WHEN %1$s IS NOT NULL THEN sha256(mops_salt || %2$L::bytea) END AS mops_salt_%3$s, '
                               'to_jsonb(%1$s) AS mops_value_%3$s', mops_secret(p.here, p.typname),
                               p.name || ':' || aspect, p.number), ', '))
                    ELSE rows END,
               extra || string_agg(CASE
                    WHEN whole THEN format(', mops_salt_%1$s, mops_value_%1$s', p.number)
                    ELSE format(', to_jsonb(%1$s) AS mops_old_%3$s, to_jsonb(%2$s) AS mops_new_%3$s',
                                mops_secret(p.old, p.typname), mops_secret(p.new, p.typname), p.number) END,
                    '' ORDER BY p.number),
               string_agg(CASE
                    WHEN whole THEN format('(%1$L, %2$L, mops_salt_%3$s, mops_value_%3$s)', p.name, aspect, p.number)
                    ELSE format('(%1$L, ''old'', mops_old_%2$s), (%1$L, ''new'', mops_new_%2$s)', p.name, p.number) END,
                    ', ' ORDER BY p.number)
          INTO rows, extra, behind
        FROM (SELECT a.attname AS name, a.attnum AS number, t.typname AS typname, format('o.%I', a.attname) AS old,
                     format('n.%I', a.attname) AS new, format('%s.%I', side, a.attname) AS here
              FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
              WHERE a.attrelid = relid AND a.attname = ANY (personal) AND NOT a.attisdropped) p;
        -- the entry's number is drawn first, so that the values behind it can name it
        IF whole THEN extra := extra || $c$, nextval('audit_auditevent_id_seq') AS mops_event$c$; END IF;
    END IF;
    -- 244 random bits for a statement, forgotten with it: what a salt is made of besides the key of its row and the name
    -- of the column, so that none tells anything of another (drawing anew for each row costs 2 µs)
    changed := CASE WHEN salted THEN $sql$
        drawn AS MATERIALIZED (
            SELECT uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) AS mops_drawn),$sql$ ELSE '' END
        || format($sql$
        %1$s AS MATERIALIZED (
            SELECT %2$s AS mops_key, %3$s AS mops_action, %4$s AS mops_label, %5$s AS mops_diff%6$s
            FROM %7$s)$sql$,
        CASE WHEN salted AND NOT whole THEN 'seen' ELSE 'changed' END,
        keyed,
        CASE WHEN operation = 'UPDATE'
             THEN format($c$CASE WHEN o.%1$I IS NULL THEN 'insert' WHEN n.%1$I IS NULL THEN 'delete' ELSE 'update' END$c$,
                         key) ELSE quote_literal(lower(operation)) END,
        CASE WHEN label IS NULL THEN '''''' ELSE format('left(coalesce(%s, ''''), 300)', label) END,
        mops_diff_sql(relid, operation, hidden, CASE WHEN salted THEN personal ELSE '{}' END),
        extra, rows);
    ledger := format($sql$
        INSERT INTO audit_auditevent (%1$sat, txid, actor_id, actor_label, on_behalf_of_label, channel, request_id,
                                      job_id, reason, db_role, action, table_name, object_id, object_label, changes)
        SELECT %2$swho.at, who.txid, who.actor_id, who.actor, who.behalf, who.channel, who.request, who.job,
               who.reason, session_user, mops_action, %3$L, mops_key::text, mops_label, mops_diff
        FROM changed, who WHERE mops_diff <> '{}'::jsonb$sql$,
        CASE WHEN salted THEN 'id, ' ELSE '' END, CASE WHEN salted THEN 'mops_event, ' ELSE '' END, tablename);
    beside := '';
    IF salted THEN
        changed := changed || CASE WHEN whole THEN '' ELSE $sql$,
        changed AS MATERIALIZED (
            SELECT seen.*, nextval('audit_auditevent_id_seq') AS mops_event FROM seen
            WHERE mops_diff <> '{}'::jsonb)$sql$ END;
        beside := format($sql$,
        behind AS (
            INSERT INTO audit_personalvalue (event_id, column_name, side, at, table_name, object_id, salt, value)
            SELECT mops_event, v.name, v.side, who.at, %L, mops_key::text, %s, v.value
            FROM changed, who, LATERAL (VALUES %s) v(name, side, %svalue)
            WHERE v.%s IS NOT NULL%s)$sql$, tablename,
            CASE WHEN whole THEN 'v.salt'
                 ELSE $c$sha256(mops_salt || convert_to(v.name || ':' || v.side, 'UTF8'))$c$ END,
            behind, CASE WHEN whole THEN 'salt, ' ELSE '' END, CASE WHEN whole THEN 'salt' ELSE 'value' END,
            CASE WHEN whole THEN '' ELSE ' AND mops_diff ? v.name' END);
    END IF;
    IF kept IS NOT NULL THEN
        SELECT beside || format($sql$,
        versions AS (
            INSERT INTO %1$I (%2$s, history_date, history_type, history_user_id, %3$s)
            SELECT %5$s, who.at, CASE mops_action WHEN 'insert' THEN '+' WHEN 'update' THEN '~' ELSE '-' END,
                   who.actor_id, %4$s
            FROM changed, who WHERE mops_diff <> '{}'::jsonb)$sql$,
            history, kept, string_agg(quote_ident(own.name), ', '), string_agg(own.value, ', '), told) INTO beside
        FROM (VALUES ('history_change_reason', 'left(who.reason, 500)'), ('actor_label', 'who.actor'),
                     ('channel', 'who.channel'), ('request_id', 'who.request'), ('job_id', 'who.job')) own(name, value)
        -- a governed table may have a column of the same name; then that one is the version's
        WHERE own.name <> ALL (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = relid AND a.attnum > 0);
    END IF;
    reasoned := CASE WHEN to_regclass('audit_reasonrule') IS NULL THEN '' ELSE format($sql$
          AND (who.reason <> '' OR NOT EXISTS (SELECT FROM audit_reasonrule WHERE table_name = %1$L AND is_active)
               OR mops_demand_reason(%1$L, mops_action, mops_diff, jsonb_build_object('channel', who.channel)))$sql$,
        tablename) END;
END $$;

-- The statement as a stub runs it; $1 is mops.ctx as jsonb. It returns one number.
CREATE OR REPLACE FUNCTION mops_record_sql(relid oid, operation text, history text, hidden text[], personal text[])
RETURNS text LANGUAGE sql STABLE AS $$
    SELECT format($sql$
        WITH who AS MATERIALIZED (
            SELECT clock_timestamp() AS at, txid_current() AS txid, ($1->>'actor_id')::bigint AS actor_id,
                   coalesce(nullif($1->>'actor', ''), 'unattributed') AS actor, coalesce($1->>'behalf', '') AS behalf,
                   coalesce($1->>'channel', 'database') AS channel, coalesce($1->>'request', '') AS request,
                   coalesce($1->>'job', '') AS job, coalesce($1->>'reason', '') AS reason),%s,
        ledger AS (%s%s)%s
        SELECT 0$sql$, changed, ledger, reasoned, beside)
    FROM mops_recording_parts(relid, operation, history, hidden, personal)
$$;

-- The same for the body of a trigger's function, where who acts is variables.
CREATE OR REPLACE FUNCTION mops_ready_sql(relid oid, operation text, history text, hidden text[], personal text[])
RETURNS text LANGUAGE sql STABLE AS $$
    SELECT regexp_replace(replace(replace(replace(
        format('WITH %s%s%s%s', ltrim(changed, E' \n'), beside, ledger, reasoned),
        'FROM changed, who', 'FROM changed'), 'who.at', 'mops_at'),
        'who.txid', 'txid_current()'),  -- asked for where rows changed only: it makes a transaction real
        '\mwho\.', 'mops_who.', 'g')
    FROM mops_recording_parts(relid, operation, history, hidden, personal)
$$;

-- Write what a table holds as if it were inserted now: where recording begins on a table that has rows already.
CREATE OR REPLACE FUNCTION mops_record_baseline(relid oid, history text, hidden text[], personal text[], ctx jsonb)
RETURNS void LANGUAGE plpgsql SET timezone = 'UTC' AS $$
BEGIN
    EXECUTE replace(mops_record_sql(relid, 'INSERT', history, hidden, personal),
                    'FROM new_rows n', format('FROM %s n', relid::regclass)) USING ctx;
END $$;

-- Note since which entry each column is recorded, and what the older rows hold in it: one value for all of them, or
-- an entry for each. So the ledger can be replayed over changes of the schema.
CREATE OR REPLACE FUNCTION mops_note_columns(relid oid, hidden text[], personal text[], ctx jsonb) RETURNS void
LANGUAGE plpgsql SET timezone = 'UTC' AS $$
DECLARE
    mine text := (SELECT relname FROM pg_class WHERE oid = relid);
    known boolean := EXISTS (SELECT FROM audit_recordedcolumn WHERE table_name = mine);
    now_at bigint := coalesce((SELECT max(id) FROM audit_auditevent), 0);
    col text; different integer; filled jsonb;
BEGIN
    PERFORM txid_current();  -- known before the first number is drawn: the sealer relies on that order
    FOR col IN
        SELECT a.attname FROM pg_attribute a
        WHERE a.attrelid = relid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated <> 'v'
          AND a.attname <> ALL (hidden || mops_silent_columns())
          AND NOT EXISTS (SELECT FROM audit_recordedcolumn c WHERE c.table_name = mine AND c.column_name = a.attname)
    LOOP
        filled := NULL;
        IF NOT known AND col <> ALL (personal) THEN
            -- added in the run of migrations that made the table: rows from before it are recorded without the column
            EXECUTE format($sql$
                INSERT INTO audit_auditevent (at, txid, actor_id, actor_label, on_behalf_of_label, channel, request_id,
                    job_id, reason, db_role, action, table_name, object_id, object_label, changes)
                SELECT clock_timestamp(), txid_current(), NULL, $1->>'actor', '', 'database', '', '',
                       'The column is new, and this is what a migration put there.', session_user, 'update', %L,
                       t.id::text, '', jsonb_build_object(%L, jsonb_build_array(NULL, t.%I))
                FROM %s t WHERE t.%3$I IS NOT NULL
                  AND EXISTS (SELECT FROM audit_auditevent e WHERE e.table_name = %1$L AND e.object_id = t.id::text)
                  AND NOT EXISTS (SELECT FROM audit_auditevent e
                                  WHERE e.table_name = %1$L AND e.object_id = t.id::text AND e.changes ? %2$L)$sql$,
                mine, col, col, relid::regclass) USING ctx;
        ELSIF col <> ALL (personal) THEN
            EXECUTE format('SELECT count(*), (array_agg(v))[1] FROM (SELECT DISTINCT to_jsonb(%I) AS v FROM %s LIMIT 2) d',
                           col, relid::regclass) INTO different, filled;
            IF different > 1 THEN
                filled := NULL;
                EXECUTE format($sql$
                    INSERT INTO audit_auditevent (at, txid, actor_id, actor_label, on_behalf_of_label, channel, request_id,
                        job_id, reason, db_role, action, table_name, object_id, object_label, changes)
                    SELECT clock_timestamp(), txid_current(), NULL, $1->>'actor', '', 'database', '', '',
                           'The column is new, and this is what a migration put there.', session_user, 'update', %L,
                           id::text, '', jsonb_build_object(%L, jsonb_build_array(NULL, %I))
                    FROM %s WHERE %3$I IS NOT NULL$sql$, mine, col, col, relid::regclass) USING ctx;
            END IF;
        END IF;
        INSERT INTO audit_recordedcolumn (table_name, column_name, since_event, filled_with)
        VALUES (mine, col, CASE WHEN known THEN now_at ELSE 0 END, filled);
    END LOOP;
END $$;
