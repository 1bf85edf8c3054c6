-- The ledger's monthly partitions: made ahead, dropped whole. Only the owner can; these functions are the way in.

-- Take from everybody but the owner what is not reading: rights on new tables come by default privileges.
CREATE OR REPLACE FUNCTION mops_only_readable(relation regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    grantee text;
BEGIN
    FOR grantee IN
        SELECT DISTINCT CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END
        FROM pg_class c, aclexplode(c.relacl) g WHERE c.oid = relation AND g.grantee <> c.relowner
    LOOP
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON %s FROM %s', relation, grantee);
    END LOOP;
END $$;

-- Make one partition; `lower` and `upper` NULL make the one that takes what belongs nowhere.
CREATE OR REPLACE FUNCTION mops_add_ledger_partition(name text, lower timestamptz, upper timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE %I (LIKE audit_auditevent INCLUDING DEFAULTS INCLUDING STORAGE)', name);
    EXECUTE format('ALTER TABLE audit_auditevent ATTACH PARTITION %I %s', name, CASE WHEN lower IS NULL THEN 'DEFAULT'
                   ELSE format('FOR VALUES FROM (%L) TO (%L)', lower, upper) END);
    -- row triggers come with the parent, those on TRUNCATE do not
    EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION '
                   'mops_refuse_truncate()', name);
    PERFORM mops_only_readable(name::regclass);
END $$;

CREATE OR REPLACE FUNCTION mops_refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'P0001',
        MESSAGE = 'The ledger is append-only: entries are never changed, deleted or truncated.';
END $$;

-- Make the partitions of this month and the next ones; rows that found none meanwhile move to their own.
-- Returns the names of those it made. Safe to repeat and to run beside writers.
CREATE OR REPLACE FUNCTION mops_prepare_ledger_partitions(ahead integer DEFAULT 3) RETURNS text[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' SET lock_timeout = '5s' AS $$
DECLARE
    made text[] := '{}';
    start timestamptz;
    name text;
    stranded boolean;
BEGIN
    IF (SELECT relkind FROM pg_class WHERE oid = to_regclass('audit_auditevent')) IS DISTINCT FROM 'p' THEN
        RETURN made;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('mops_prepare_ledger_partitions'));
    IF to_regclass('audit_auditevent_rest') IS NULL THEN
        PERFORM mops_add_ledger_partition('audit_auditevent_rest', NULL, NULL);
    END IF;
    stranded := EXISTS (SELECT FROM audit_auditevent_rest);
    IF stranded THEN
        ALTER TABLE audit_auditevent DETACH PARTITION audit_auditevent_rest;
        ALTER TABLE audit_auditevent_rest RENAME TO audit_stranded;
    END IF;
    FOR start IN EXECUTE
        'SELECT generate_series(date_trunc(''month'', now()), now() + make_interval(months => $1), ''1 month'')'
        || CASE WHEN stranded THEN ' UNION SELECT date_trunc(''month'', at) FROM audit_stranded' ELSE '' END
        USING ahead
    LOOP
        name := 'audit_auditevent_' || to_char(start, 'YYYY_MM');
        IF to_regclass(name) IS NULL THEN
            PERFORM mops_add_ledger_partition(name, start, start + interval '1 month');
            made := made || name;
        END IF;
    END LOOP;
    IF stranded THEN
        EXECUTE 'INSERT INTO audit_auditevent SELECT * FROM audit_stranded';
        DROP TABLE audit_stranded;
        PERFORM mops_add_ledger_partition('audit_auditevent_rest', NULL, NULL);
    END IF;
    INSERT INTO audit_ledgermonth (month, partition, made_at, purge_reason, purged_by_label, rows, seal_digest)
    SELECT to_date(right(c.relname, 7), 'YYYY_MM'), c.relname, clock_timestamp(), '', '', 0, ''
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'audit_auditevent'::regclass AND c.relname <> 'audit_auditevent_rest'
      AND NOT EXISTS (SELECT FROM audit_ledgermonth m WHERE m.partition = c.relname)
    ON CONFLICT (month) DO NOTHING;
    RETURN made;
END $$;

-- The sealer says here that everything in a month is sealed; `digest` is that of the last seal over it.
CREATE OR REPLACE FUNCTION mops_mark_month_sealed(which date, digest text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    IF which >= date_trunc('month', now())::date THEN
        RAISE EXCEPTION USING ERRCODE = 'P0001', MESSAGE = 'A month can be sealed as a whole once it is over.';
    END IF;
    UPDATE audit_ledgermonth SET sealed_at = clock_timestamp(), seal_digest = digest
    WHERE month = which AND sealed_at IS NULL AND purged_at IS NULL;
END $$;

-- Why a month of the ledger must stay, in a sentence; NULL when it may go.
CREATE OR REPLACE FUNCTION mops_refuse_purge(which date) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    mine record;
    blocker text;
BEGIN
    SELECT * INTO mine FROM audit_ledgermonth WHERE month = which;
    IF NOT FOUND THEN RETURN 'There is no such month in the ledger.'; END IF;
    IF mine.purged_at IS NOT NULL THEN RETURN 'This month has been purged already.'; END IF;
    IF which >= date_trunc('month', now())::date THEN RETURN 'This month is not over yet.'; END IF;
    IF mine.sealed_at IS NULL THEN
        RETURN 'This month is not sealed: what is purged unsealed could never be proved to have been there.';
    END IF;
    EXECUTE format($sql$
        SELECT table_name FROM (SELECT DISTINCT table_name FROM %I) present
        LEFT JOIN audit_retentionpolicy own ON own.kind = table_name AND own.archived_at IS NULL
        LEFT JOIN audit_retentionpolicy rest ON rest.kind = '*' AND rest.archived_at IS NULL
        WHERE coalesce(CASE WHEN own.id IS NOT NULL THEN own.months ELSE rest.months END, 1000000)
              > extract(year FROM age(date_trunc('month', now()), $1)) * 12
                + extract(month FROM age(date_trunc('month', now()), $1)) - 1
        ORDER BY 1 LIMIT 1$sql$, mine.partition) INTO blocker USING which::timestamptz;
    IF blocker IS NOT NULL THEN
        RETURN format('It holds changes of %s, which are kept longer than that. See the retention policies.', blocker);
    END IF;
    EXECUTE format($sql$
        SELECT h.matter FROM audit_legalhold h WHERE h.released_at IS NULL
          AND (h.kind = '' OR EXISTS (SELECT FROM %I e WHERE e.table_name = h.kind
                                      AND (h.object_id = '' OR e.object_id = h.object_id)))
        ORDER BY h.id LIMIT 1$sql$, mine.partition) INTO blocker;
    IF blocker IS NOT NULL THEN
        RETURN format('The legal hold “%s” covers changes of this month; it has to be released first.', blocker);
    END IF;
    RETURN NULL;
END $$;

-- Drop a month of the ledger with the personal values that belong to it; recorded by the trigger on audit_ledgermonth.
CREATE OR REPLACE FUNCTION mops_purge_ledger_month(which date, because text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' SET lock_timeout = '5s' AS $$
DECLARE
    refused text := mops_refuse_purge(which);
    part text := (SELECT partition FROM audit_ledgermonth WHERE month = which);
    counted bigint; lowest bigint; highest bigint;
BEGIN
    IF refused IS NULL AND btrim(coalesce(because, '')) = '' THEN refused := 'A purge needs a reason.'; END IF;
    IF refused IS NOT NULL THEN RAISE EXCEPTION USING ERRCODE = 'P0001', MESSAGE = refused; END IF;
    EXECUTE format('SELECT count(*), min(id), max(id) FROM %I', part) INTO counted, lowest, highest;
    EXECUTE format('DELETE FROM audit_personalvalue p USING %I e WHERE p.event_id = e.id', part);
    EXECUTE format('ALTER TABLE audit_auditevent DETACH PARTITION %I', part);
    EXECUTE format('DROP TABLE %I', part);
    UPDATE audit_ledgermonth
    SET purged_at = clock_timestamp(), purge_reason = because, rows = counted, first_id = lowest, last_id = highest,
        purged_by_label = coalesce(nullif(nullif(current_setting('mops.ctx', true), '')::jsonb->>'actor', ''),
                                   'unattributed')
    WHERE month = which;
    RETURN counted;
END $$;
