"""Results of checks are evidence: the serving role adds to them and nothing else. Files freeze with their version."""

from django.db import migrations

from mops.db.roles import give_to_serving, take_from_serving

TABLES = ("content_qarun", "content_qafinding", "content_qasignoff")
FREEZE = """
CREATE FUNCTION content_files_freeze() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE standing text;
BEGIN
    SELECT version.state INTO standing
    FROM content_contentversion version
    JOIN django_content_type kind ON kind.app_label = 'content' AND kind.model = 'contentversion'
    WHERE kind.id = NEW.content_type_id AND version.id = NEW.object_id;
    IF standing IS NOT NULL AND standing <> 'draft' THEN
        RAISE EXCEPTION USING ERRCODE = 'P0001', MESSAGE =
            'The files of a version freeze with it when it is submitted. Have it sent back, or write a new version.';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER content_files_freeze BEFORE INSERT OR UPDATE OF archived_at ON attachments_attachment
    FOR EACH ROW EXECUTE FUNCTION content_files_freeze();
"""
THAW = """
DROP TRIGGER content_files_freeze ON attachments_attachment;
DROP FUNCTION content_files_freeze();
"""


def take_away(apps, schema_editor):
    take_from_serving(schema_editor, "UPDATE, DELETE, TRUNCATE", *TABLES)


def give_back(apps, schema_editor):
    give_to_serving(schema_editor, "UPDATE, DELETE", *TABLES)


class Migration(migrations.Migration):
    dependencies = [
        ("content", "0001_initial"),
        ("attachments", "0003_files_are_about_people"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [
        migrations.RunPython(take_away, give_back, elidable=False),
        migrations.RunSQL(FREEZE, THAW),
    ]
