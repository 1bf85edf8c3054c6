"""The stages that leads were in before stretches were kept, as their history tells them."""

from django.db import migrations

PAST = """
    INSERT INTO leads_stageinterval (lead_id, stage, entered_at, exited_at, reason, actor_label)
    SELECT id, stage, entered, lead(entered) OVER (PARTITION BY id ORDER BY history_id), reason, actor_label
    FROM (
        SELECT h.id, h.stage, h.history_id, left(coalesce(h.history_change_reason, ''), 500) AS reason, h.actor_label,
               max(h.history_date) OVER (PARTITION BY h.id ORDER BY h.history_id) AS entered,
               lag(h.stage) OVER (PARTITION BY h.id ORDER BY h.history_id) AS before
        FROM leads_historicallead h WHERE EXISTS (SELECT FROM leads_lead l WHERE l.id = h.id)
    ) told
    WHERE stage IS DISTINCT FROM before AND NOT EXISTS (SELECT FROM leads_stageinterval i WHERE i.lead_id = told.id)
"""
UNTOLD = """
    INSERT INTO leads_stageinterval (lead_id, stage, entered_at, reason, actor_label)
    SELECT l.id, l.stage, l.created_at, '', '' FROM leads_lead l
    WHERE NOT EXISTS (SELECT FROM leads_stageinterval i WHERE i.lead_id = l.id)
"""


class Migration(migrations.Migration):
    dependencies = [("leads", "0006_stages_over_time")]
    operations = [
        migrations.RunSQL(PAST, migrations.RunSQL.noop),
        migrations.RunSQL(UNTOLD, migrations.RunSQL.noop),
    ]
