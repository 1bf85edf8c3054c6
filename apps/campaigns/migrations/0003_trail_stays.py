"""The trail is evidence: the role that serves may add to it and nothing else; campaigns there were begin theirs."""

from django.db import migrations

from mops.db.roles import give_to_serving, take_from_serving

TRAIL = ("campaigns_statechange", "campaigns_launchattempt")


def begin(apps, schema_editor):
    schema_editor.execute(
        "INSERT INTO campaigns_statechange (campaign_id, was, state, at, actor_label, reason) "
        "SELECT id, '', state, coalesce(ended_at, launched_at, updated_at), NULL, '' FROM campaigns_campaign"
    )
    take_from_serving(schema_editor, "UPDATE, DELETE, TRUNCATE", *TRAIL)


def give_back(apps, schema_editor):
    give_to_serving(schema_editor, "UPDATE, DELETE", *TRAIL)


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0002_states_checklist_and_attempts")]
    operations = [migrations.RunPython(begin, give_back, elidable=False)]
