-- Mandatory reasons: the recording statement asks here for each changed row when a rule names its table and nobody
-- has given a reason.

CREATE OR REPLACE FUNCTION mops_demand_reason(changed text, action text, diff jsonb, ctx jsonb) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    demand text;
    door text := coalesce(ctx->>'channel', 'database');
BEGIN
    SELECT what INTO demand FROM audit_reasonrule
    WHERE table_name = changed AND is_active AND archived_at IS NULL AND action = ANY (operations)
      AND diff <> '{}'::jsonb AND (field = '' OR action <> 'update' OR diff ? field)
      AND (door IN ('admin', 'api', 'graphql', 'import') OR (binds_jobs AND door IN ('job', 'sync')))
    ORDER BY field DESC LIMIT 1;
    IF demand IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'P0001', MESSAGE = format('%s needs a reason: say why, then try again.', demand);
    END IF;
    RETURN true;
END $$;
