-- Erasing a person: the only way to delete values behind commitments and to touch a history.

-- `things` is an array of {"table", "key", "history", "columns"}. Returns the values deleted and the versions cleared.
-- The caller has emptied the live rows already; each version gets what the live row holds now, so the newest one still
-- equals it. The commitments in the ledger stay, and stay verifiable as bytes; what they commit to is gone.
CREATE OR REPLACE FUNCTION mops_erase_subject(kind text, subject text, things jsonb, salt bytea, identity text,
                                              because text) RETURNS TABLE (gone bigint, cleared bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    thing record;
    held text;
    touched bigint;
    ctx jsonb := coalesce(nullif(current_setting('mops.ctx', true), ''), '{}')::jsonb;
BEGIN
    IF btrim(coalesce(because, '')) = '' THEN
        RAISE EXCEPTION USING ERRCODE = 'P0001', MESSAGE = 'An erasure needs a reason.';
    END IF;
    gone := 0; cleared := 0;
    FOR thing IN SELECT * FROM jsonb_to_recordset(things) AS t("table" text, key text, history text, columns text[])
    LOOP
        SELECT h.matter INTO held FROM audit_legalhold h
        WHERE h.released_at IS NULL AND (h.kind = '' OR h.kind = thing."table")
          AND (h.object_id = '' OR h.object_id = thing.key) ORDER BY h.id LIMIT 1;
        IF held IS NOT NULL THEN
            RAISE EXCEPTION USING ERRCODE = 'P0001',
                MESSAGE = format('The legal hold “%s” covers this; it has to be released first.', held);
        END IF;
        -- by the numbers of its entries: through two indexes, however the tables have grown
        DELETE FROM audit_personalvalue v WHERE v.event_id = ANY (ARRAY(
            SELECT e.id FROM audit_auditevent e WHERE e.table_name = thing."table" AND e.object_id = thing.key));
        GET DIAGNOSTICS touched = ROW_COUNT;
        gone := gone + touched;
        IF thing.history <> '' AND thing.columns <> '{}' AND to_regclass(quote_ident(thing.history)) IS NOT NULL THEN
            IF thing.history !~ '_historical[a-z]+$' THEN
                RAISE EXCEPTION USING ERRCODE = 'P0001', MESSAGE = 'Only the versions of a record can be cleared.';
            END IF;
            EXECUTE format('UPDATE %1$I h SET (%2$s) = ROW(%3$s) FROM %4$I t WHERE t.id = h.id AND h.id::text = $1',
                thing.history,
                (SELECT string_agg(quote_ident(c), ', ') FROM unnest(thing.columns) c),
                (SELECT string_agg('t.' || quote_ident(c), ', ') FROM unnest(thing.columns) c), thing."table")
            USING thing.key;
            GET DIAGNOSTICS touched = ROW_COUNT;
            cleared := cleared + touched;
        END IF;
    END LOOP;
    INSERT INTO audit_erasedsubject (kind, object_id, salt, identity, erased_at, erased_by_label, reason, values_erased,
                                     versions_cleared)
    VALUES (kind, subject, salt, identity, clock_timestamp(), coalesce(nullif(ctx->>'actor', ''), 'unattributed'),
            because, gone, cleared);
    RETURN NEXT;
END $$;
