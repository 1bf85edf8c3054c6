import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.DeleteModel("WorkerCluster"),
        migrations.CreateModel(
            name="WorkerCluster",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.CharField(
                        help_text="Host, queue and a token, as in JobRun.worker.", max_length=100, unique=True
                    ),
                ),
                ("queue", models.CharField(max_length=20)),
                ("host", models.CharField(max_length=100)),
                ("pid", models.PositiveIntegerField()),
                ("started_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("beat_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("restarts", models.PositiveIntegerField(default=0)),
                ("last_restart_reason", models.CharField(blank=True, max_length=300)),
            ],
            options={"ordering": ("host", "queue")},
        ),
        migrations.AddIndex(
            model_name="jobrun",
            index=models.Index(fields=["-started_at"], name="jobrun_by_start"),
        ),
    ]
