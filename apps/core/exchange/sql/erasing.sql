-- Reports of imports are append-only. What they say of one person goes with an erasure alone: in the transaction that
-- has just written its tombstone.
CREATE OR REPLACE FUNCTION mops_erase_row_outcomes(ids bigint[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    emptied bigint;
BEGIN
    IF cardinality(ids) = 0 THEN RETURN 0; END IF;
    -- now() is when this transaction began
    IF NOT EXISTS (SELECT FROM audit_erasedsubject WHERE erased_at >= now()) THEN
        RAISE EXCEPTION USING ERRCODE = 'P0001',
            MESSAGE = 'What became of a row is evidence: only the erasure of a person empties it.';
    END IF;
    SET CONSTRAINTS ALL IMMEDIATE;  -- a table with checks still to come cannot be altered
    ALTER TABLE exchange_rowoutcome DISABLE TRIGGER USER;
    UPDATE exchange_rowoutcome SET key = '(erased)', reason = CASE reason WHEN '' THEN '' ELSE '(erased)' END
    WHERE id = ANY (ids);
    GET DIAGNOSTICS emptied = ROW_COUNT;
    ALTER TABLE exchange_rowoutcome ENABLE TRIGGER USER;
    SET CONSTRAINTS ALL DEFERRED;
    RETURN emptied;
END $$;
