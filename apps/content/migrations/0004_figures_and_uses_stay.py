"""Daily figures and uses of material are evidence: the serving role adds to them and nothing else."""

from django.db import migrations

from mops.db.roles import give_to_serving, take_from_serving

TABLES = ("content_contentmetric", "content_materialuse")


def take_away(apps, schema_editor):
    take_from_serving(schema_editor, "UPDATE, DELETE, TRUNCATE", *TABLES)


def give_back(apps, schema_editor):
    give_to_serving(schema_editor, "UPDATE, DELETE", *TABLES)


class Migration(migrations.Migration):
    dependencies = [("content", "0003_distribution_figures_and_use")]
    operations = [migrations.RunPython(take_away, give_back, elidable=False)]
